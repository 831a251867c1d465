#include "tensor/kernels/rotary.h"

#include <cmath>

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/rotary_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kRotaryRows = 21, kPositions = 40;

struct Case {
  Case(int64_t heads, int64_t head_dim, int64_t turned) {
    std::vector<double> cosines, sines;
    for (int64_t p = 0; p < kPositions; ++p) {
      for (int64_t i = 0; i < turned / 2; ++i) {
        double angle = static_cast<double>(p) *
                       std::pow(100.0, -2.0 * static_cast<double>(i) / static_cast<double>(turned));
        cosines.push_back(std::cos(angle));
        sines.push_back(std::sin(angle));
      }
    }
    cosine = Elements(DType::kF32, cosines);
    sine = Elements(DType::kF32, sines);
    for (int64_t row = 0; row < kRotaryRows; ++row)
      positions.push_back(static_cast<int32_t>(row * 7 % kPositions));
    args = {.rows = kRotaryRows,
            .heads = heads,
            .head_dim = head_dim,
            .turned = turned,
            .positions = positions.data(),
            .cosine = in(cosine),
            .sine = in(sine)};
  }
  Case(const Case&) = delete;  // args point into it
  Case& operator=(const Case&) = delete;

  Elements cosine, sine;
  std::vector<int32_t> positions;
  Rotary args;
};

TEST(Rotary, MatchesTheReference) {
  on_every_target([] {
    for (int64_t head_dim : {2, 6, 34, 64, 100}) {
      for (int64_t turned : {head_dim, head_dim / 4 * 2}) {
        for (DType dtype : kFastTypes) {
          for (bool inverse : {false, true}) {
            Case rotated(3, head_dim, turned);
            rotated.args.inverse = inverse;
            const Elements x = Elements::normal(dtype, kRotaryRows * 3 * head_dim, "x");
            Elements found = unset(dtype, x.count()), wanted = unset(DType::kF64, x.count());
            rotary(rotated.args, in(x), out(found));
            rotary_reference<double>(rotated.args, in(x), out(wanted));
            expect_close("rotary", found, wanted, 2);
          }
        }
      }
    }
  });
}

TEST(Rotary, TurnsBack) {
  Case rotated(2, 36, 36);
  const Elements x = Elements::normal(DType::kF32, kRotaryRows * 2 * 36, "x");
  Elements turned = unset(DType::kF32, x.count());
  rotary(rotated.args, in(x), out(turned));
  rotated.args.inverse = true;
  rotary(rotated.args, in(turned), out(turned));  // in place
  expect_close("there and back", turned, x, 4);
}

TEST(Rotary, PositionZeroChangesNoBit) {
  Case rotated(2, 20, 20);
  std::fill(rotated.positions.begin(), rotated.positions.end(), 0);
  const Elements x = Elements::normal(DType::kBF16, kRotaryRows * 2 * 20, "x");
  Elements found = unset(DType::kBF16, x.count());
  rotary(rotated.args, in(x), out(found));
  EXPECT_TRUE(found == x);
}

TEST(Rotary, IsTheSameEverywhere) {
  Case rotated(5, 100, 100);
  const Elements x = Elements::normal(DType::kF32, kRotaryRows * 5 * 100, "x");
  expect_same_bits_everywhere([&] {
    Elements found = unset(DType::kF32, x.count());
    rotary(rotated.args, in(x), out(found));
    return found;
  });
}

}  // namespace
}  // namespace inlay::kernels
