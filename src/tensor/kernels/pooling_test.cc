#include "tensor/kernels/pooling.h"

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/pooling_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kOffsets[] = {0, 3, 3, 4, 11};  // the second row is empty
constexpr Pooling kKinds[] = {Pooling::kMean, Pooling::kFirst, Pooling::kLast};

RaggedRows ragged(int64_t channels) {
  return {.rows = 4, .channels = channels, .offsets = kOffsets};
}

TEST(Pooling, ForwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (Pooling kind : kKinds) {
        for (DType dtype : kFastTypes) {
          const Elements x = Elements::normal(dtype, 11 * channels, "x");
          Elements found = unset(DType::kF32, 4 * channels),
                   wanted = unset(DType::kF64, 4 * channels);
          pooling_forward(kind, ragged(channels), in(x), out(found));
          pooling_forward_reference<double>(kind, ragged(channels), in(x), out(wanted));
          expect_close("pooled", found, wanted, 7);
        }
      }
    }
  });
}

TEST(Pooling, BackwardMatchesTheReference) {
  on_every_target([] {
    for (int64_t channels : kWidths) {
      for (Pooling kind : kKinds) {
        for (DType dtype : kFastTypes) {
          const Elements grad = Elements::normal(DType::kF32, 4 * channels, "grad");
          Elements found = unset(dtype, 11 * channels), wanted = unset(DType::kF64, 11 * channels);
          pooling_backward(kind, ragged(channels), in(grad), out(found));
          pooling_backward_reference<double>(kind, ragged(channels), in(grad), out(wanted));
          expect_close("grad_src", found, wanted, 1);
        }
      }
    }
  });
}

TEST(Pooling, OfOneTokenCopiesIt) {
  const std::vector<float> x = {1.5f, -2.0f, 3.25f};
  const int64_t offsets[] = {0, 1};
  for (Pooling kind : kKinds) {
    std::vector<float> y(3);
    pooling_forward(kind, {.rows = 1, .channels = 3, .offsets = offsets}, x.data(), y.data());
    EXPECT_EQ(y, x);
  }
}

TEST(Pooling, GivesTheSameBitsEverywhere) {
  std::vector<int64_t> offsets = {0};
  for (int64_t b = 0; b < 40; ++b) offsets.push_back(offsets.back() + 1 + b % 9);
  const Elements x = Elements::normal(DType::kF32, offsets.back() * 390, "x");
  expect_same_bits_everywhere([&] {
    Elements y = unset(DType::kF32, 40 * 390);
    pooling_forward(Pooling::kMean, {.rows = 40, .channels = 390, .offsets = offsets.data()}, in(x),
                    out(y));
    return y;
  });
}

}  // namespace
}  // namespace inlay::kernels
