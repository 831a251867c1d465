#include "tensor/kernels/row_mixture.h"

#include <array>

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/row_mixture_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kMaps = 3, kInputs = 5;

// Rows that read nothing, one row, several, and one row twice.
RowMixture drawn_mixture() {
  RowMixture mixture;
  mixture.add(std::array<RowRead, 3>{{{4, 0.5}, {0, -1.25}, {2, 0.375}}});
  mixture.add({});
  mixture.add(std::array<RowRead, 1>{{{3, 1}}});
  mixture.add(std::array<RowRead, 2>{{{1, 0.75}, {1, 0.5}}});
  return mixture;
}

TEST(RowMixture, MatchesTheReference) {
  const RowMixture mixture = drawn_mixture();
  on_every_target([&] {
    for (int64_t channels : kWidths) {
      for (DType dtype : kFastTypes) {
        const MixedRows args{mixture, kMaps, kInputs, channels};
        const int64_t outputs = kMaps * mixture.rows() * channels;
        const Elements x = Elements::normal(dtype, kMaps * kInputs * channels, "x");
        Elements found = unset(dtype, outputs), wanted = unset(DType::kF64, outputs);
        mix_rows(args, in(x), out(found));
        mix_rows_reference<double>(args, in(x), out(wanted));
        expect_close("mix_rows", found, wanted, 3, 4.0);
      }
    }
  });
}

TEST(RowMixture, GivesKnownNumbers) {
  const RowMixture mixture = drawn_mixture();
  const std::vector<float> x = {1, 2, 3, 4, 5, 10, 20, 30, 40, 50};  // two maps of one channel
  std::vector<float> y(8);
  mix_rows({mixture, 2, kInputs, 1}, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{2.375f, 0, 4, 2.5f, 23.75f, 0, 40, 25}));
}

TEST(RowMixture, ReversedItGivesGradientsToWhatWasRead) {
  const RowMixture back = drawn_mixture().reversed(kInputs);
  ASSERT_EQ(back.rows(), kInputs);
  const std::vector<float> grad_y = {8, 100, 3, 16};
  std::vector<float> grad_x(5);
  mix_rows({back, 1, 4, 1}, grad_y.data(), grad_x.data());
  EXPECT_EQ(grad_x, (std::vector<float>{-10, 20, 3, 3, 4}));
}

TEST(RowMixture, IsTheSameEverywhere) {
  const RowMixture mixture = drawn_mixture();
  const Elements x = Elements::normal(DType::kF32, 200 * kInputs * 35, "x");
  expect_same_bits_everywhere([&] {
    Elements y = unset(DType::kF32, 200 * mixture.rows() * 35);
    mix_rows({mixture, 200, kInputs, 35}, in(x), out(y));
    return y;
  });
}

}  // namespace
}  // namespace inlay::kernels
