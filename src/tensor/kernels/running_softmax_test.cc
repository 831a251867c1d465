#include "tensor/kernels/running_softmax.h"

#include <limits>

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/running_softmax_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kRunningSoftmaxRows = 9;
constexpr double kLowest = -std::numeric_limits<double>::infinity();

struct State {
  explicit State(DType dtype)
      : largest(Elements::constant(dtype, kRunningSoftmaxRows, kLowest)),
        sum(Elements::constant(dtype, kRunningSoftmaxRows, 0)),
        factor(unset(dtype, kRunningSoftmaxRows)) {}
  RunningSoftmax args(int64_t classes, const Elements& logits, Elements& weights,
                      double soft_cap = 0) {
    return {kRunningSoftmaxRows, classes,  in(logits),  out(weights),
            out(largest),        out(sum), out(factor), soft_cap};
  }
  Elements largest, sum, factor;
};

void expect_reference_piece_by_piece(double soft_cap) {
  // A capped logit of up to 12 is off by 5 units in its last place, which reach the exponent.
  const int64_t terms = soft_cap == 0 ? 16 : 256;
  on_every_target([&] {
    for (int64_t classes : {1, 3, 33, 1000}) {
      for (DType weights_dtype : kFastTypes) {
        State found(DType::kF32), wanted(DType::kF64);
        for (const char* piece : {"first", "second", "third"}) {
          const Elements x =
              Elements::normal(DType::kF32, kRunningSoftmaxRows * classes, piece, 3.0);
          const Elements wide = x.as(DType::kF64);
          Elements weights = unset(weights_dtype, x.count());
          Elements exact = unset(DType::kF64, x.count());
          running_softmax(found.args(classes, x, weights, soft_cap));
          running_softmax_reference<double>(wanted.args(classes, wide, exact, soft_cap));
          expect_close("weights", weights, exact, terms);
          expect_close("largest", found.largest, wanted.largest, 1);
          expect_close("sum", found.sum, wanted.sum, classes + terms);
          expect_close("factor", found.factor, wanted.factor, terms);
        }
      }
    }
  });
}

TEST(RunningSoftmax, MatchesTheReferencePieceByPiece) { expect_reference_piece_by_piece(0); }

TEST(RunningSoftmax, MatchesTheReferenceWithCappedLogits) {
  for (double cap : {0.7, 2.5, 30.0}) expect_reference_piece_by_piece(cap);
}

// Two logits of which the cap makes log 2 and log 1: tanh(log(3) / 2) = 1 / 2.
TEST(RunningSoftmax, WeighsCappedLogitsByTheirSlopes) {
  const double cap = 2 * std::log(2.0), x = cap * std::log(3.0) / 2;
  for (DType dtype : {DType::kF32, DType::kF64}) {
    const Elements logits(dtype, {x, 0});
    State state(dtype);
    Elements weights = unset(dtype, 2);
    RunningSoftmax args = state.args(2, logits, weights, cap);
    args.rows = 1;
    running_softmax(args);
    EXPECT_NEAR(state.largest.values()[0], std::log(2.0), 1e-6);
    EXPECT_NEAR(state.sum.values()[0], 1.5, 1e-6);
    EXPECT_NEAR(weights.values()[0], 0.75, 1e-6);
    EXPECT_NEAR(weights.values()[1], 0.5, 1e-6);
  }
}

// Over the last piece the weights divided by the sum are the tail of the softmax over the whole.
TEST(RunningSoftmax, GivesTheSoftmaxOfTheWhole) {
  constexpr int64_t kPiece = 50;
  const Elements x = Elements::normal(DType::kF32, kRunningSoftmaxRows * 2 * kPiece, "x", 3.0);
  const std::vector<double> values = x.values();
  std::vector<double> halves[2];
  for (int64_t i = 0; i < x.count(); ++i)
    halves[i / kPiece % 2].push_back(values[static_cast<std::size_t>(i)]);
  State state(DType::kF32);
  Elements weights;
  for (const std::vector<double>& half : halves) {
    weights = unset(DType::kF32, kRunningSoftmaxRows * kPiece);
    running_softmax(state.args(kPiece, Elements(DType::kF32, half), weights));
  }
  for (int64_t r = 0; r < kRunningSoftmaxRows; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < 2 * kPiece; ++c)
      sum += std::exp(values[static_cast<std::size_t>(r * 2 * kPiece + c)]);
    for (int64_t c = 0; c < kPiece; ++c) {
      double wanted = std::exp(halves[1][static_cast<std::size_t>(r * kPiece + c)]) / sum;
      double found = weights.values()[static_cast<std::size_t>(r * kPiece + c)] /
                     state.sum.values()[static_cast<std::size_t>(r)];
      EXPECT_NEAR(found, wanted, 1e-6);
    }
  }
}

TEST(RescaleAndAdd, MatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      const Elements factor = Elements::normal(DType::kF32, kRunningSoftmaxRows, "factor");
      const Elements src = Elements::normal(DType::kF32, kRunningSoftmaxRows * columns, "src");
      Elements found = Elements::normal(DType::kF32, kRunningSoftmaxRows * columns, "dst");
      Elements wanted = found.as(DType::kF64);
      const Elements wide[] = {factor.as(DType::kF64), src.as(DType::kF64)};
      rescale_and_add(in(factor), in(src), out(found), kRunningSoftmaxRows, columns);
      rescale_and_add_reference<double>(in(wide[0]), in(wide[1]), out(wanted), kRunningSoftmaxRows,
                                        columns);
      expect_close("sum", found, wanted, 2);
    }
  });
}

TEST(RescaleAndAdd, AFactorOfZeroForgetsWhatWasThere) {
  const Elements factor = Elements::constant(DType::kF32, kRunningSoftmaxRows, 0);
  const Elements src = Elements::normal(DType::kF32, kRunningSoftmaxRows * 20, "src");
  Elements dst = Elements::constant(DType::kF32, kRunningSoftmaxRows * 20,
                                    std::numeric_limits<double>::quiet_NaN());
  rescale_and_add(in(factor), in(src), out(dst), kRunningSoftmaxRows, 20);
  EXPECT_TRUE(dst == src);
}

}  // namespace
}  // namespace inlay::kernels
