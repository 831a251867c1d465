#include "tensor/kernels/rescale.h"

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/rescale_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kRows = 40;

TEST(Rescale, MatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kRows * columns, "x");
        const Elements centre = Elements::normal(DType::kF32, columns, "centre");
        const Elements gain = Elements::normal(DType::kF32, columns, "gain");
        for (Input middle : {in(centre), Input()}) {
          Elements found = unset(dtype, x.count()), wanted = unset(DType::kF64, x.count());
          rescale(in(x), middle, in(gain), out(found), kRows, columns);
          rescale_reference<double>(in(x), middle, in(gain), out(wanted), kRows, columns);
          expect_close("rescale", found, wanted, 1);
        }
      }
    }
  });
}

TEST(Rescale, AGainOfZeroChangesNoBit) {
  const Elements x = Elements::normal(DType::kF32, kRows * 33, "x");
  const Elements centre = Elements::normal(DType::kF32, 33, "centre");
  const Elements gain = Elements::constant(DType::kF32, 33, 0.0);
  Elements found = unset(DType::kF32, x.count());
  rescale(in(x), in(centre), in(gain), out(found), kRows, 33);
  EXPECT_TRUE(found == x);
}

TEST(Rescale, IsTheSameEverywhere) {
  const Elements x = Elements::normal(DType::kF32, 400 * 101, "x");
  const Elements gain = Elements::normal(DType::kF32, 101, "gain");
  expect_same_bits_everywhere([&] {
    Elements found = unset(DType::kF32, x.count());
    rescale(in(x), Input(), in(gain), out(found), 400, 101);
    return found;
  });
}

TEST(Rescale, GradientOfTheGainMatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kRows * columns, "x");
        const Elements grad = Elements::normal(dtype, kRows * columns, "grad");
        const Elements centre = Elements::normal(DType::kF32, columns, "centre");
        for (Input middle : {in(centre), Input()}) {
          const RescaleGrad args{in(grad), in(x), middle, columns, 3, 37};
          Elements found = unset(DType::kF32, columns), wanted = unset(DType::kF64, columns);
          rescale_gain_grad(args, out(found));
          rescale_gain_grad_reference<double>(args, out(wanted));
          expect_close("gain_grad", found, wanted, 34, 8.0);  // terms of both signs
        }
      }
    }
  });
}

}  // namespace
}  // namespace inlay::kernels
