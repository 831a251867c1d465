#include "tensor/kernels/halves.h"

#include "tensor/kernels/halves_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr Halves kHalvesCases[] = {
    {3, 2, 2, 1.0}, {5, 24, 12, 0.5}, {7, 64, 64, 2.0}, {4, 198, 66, 0.5}};

TEST(Halves, CombineAsTheReferenceDoes) {
  on_every_target([] {
    for (const Halves& halves : kHalvesCases) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, halves.rows * halves.channels, "x");
        for (double sign : {1.0, -1.0}) {
          Elements found = unset(DType::kF32, x.count() / 2),
                   wanted = unset(DType::kF64, x.count() / 2);
          combine_halves(in(x), sign, halves, out(found));
          combine_halves_reference<double>(in(x), sign, halves, out(wanted));
          expect_close("combine_halves", found, wanted, 2, 8.0);
        }
      }
    }
  });
}

TEST(Halves, SpreadAsTheReferenceDoes) {
  on_every_target([] {
    for (const Halves& halves : kHalvesCases) {
      for (DType dtype : kFastTypes) {
        const int64_t count = halves.rows * halves.channels;
        const Elements sums = Elements::normal(dtype, count / 2, "sums");
        const Elements differences = Elements::normal(dtype, count / 2, "differences");
        for (auto [plus, minus] :
             {std::pair(in(sums), in(differences)), std::pair(Input(), in(differences)),
              std::pair(in(sums), Input())}) {
          Elements found = unset(DType::kF32, count), wanted = unset(DType::kF64, count);
          spread_halves(plus, minus, halves, out(found));
          spread_halves_reference<double>(plus, minus, halves, out(wanted));
          expect_close("spread_halves", found, wanted, 2, 8.0);
        }
      }
    }
  });
}

TEST(Halves, AreTheSameEverywhere) {
  const Halves halves{101, 396, 66, 0.5};
  const Elements x = Elements::normal(DType::kF32, halves.rows * halves.channels, "x");
  expect_same_bits_everywhere([&] {
    Elements sums = unset(DType::kF32, x.count() / 2), found = unset(DType::kBF16, x.count());
    combine_halves(in(x), -1, halves, out(sums));
    spread_halves(in(sums), nullptr, halves, out(found));
    return found;
  });
}

}  // namespace
}  // namespace inlay::kernels
