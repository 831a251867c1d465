#include "autograd/ops/row_similarity.h"

#include <deque>

#include "autograd/gradient_check.h"
#include "autograd/ops/row_ops.h"

namespace inlay {
namespace {

// The first token of each example with the last, and with the one in the middle: rows in several
// pairs, and a row with itself.
OpCase case_of(int64_t channels, Similarity kind, std::deque<RowPairs>& kept) {
  return {
      .inputs = {{channels}}, .function = [=, &kept](OpRun& run) {
        RowPairs& pairs = kept.emplace_back();
        std::vector<int64_t> lengths;
        const std::vector<int64_t>& offsets = run.tokens.example_offsets;
        for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
          pairs.emplace_back(offsets[i], offsets[i + 1] - 1);
          pairs.emplace_back((offsets[i] + offsets[i + 1]) / 2, offsets[i]);
          lengths.push_back(2);
        }
        run.kept_spaces.push_back(make_row_space(lengths, 1, run.examples.example_place.front()));
        return row_similarity(run.context, run.x[0], kind, pairs, &run.kept_spaces.back());
      }};
}

TEST(RowSimilarity, OfCosinesKeepsTheContract) {
  std::deque<RowPairs> kept;
  expect_op_contract(
      [&](int64_t channels) { return case_of(channels, Similarity::kCosine, kept); });
}

// A distance of 0 has no derivative, so that no row is paired with itself here.
TEST(RowSimilarity, OfDistancesKeepsTheContract) {
  std::deque<RowPairs> kept;
  expect_op_contract([&](int64_t channels) {
    OpCase op = case_of(channels, Similarity::kEuclidean, kept);
    op.inputs.push_back({channels});
    op.function = [&kept](OpRun& run) {
      RowPairs& pairs = kept.emplace_back();
      RowSpace& joined = run.kept_spaces.emplace_back();
      int64_t count = run.tokens.rows();
      for (int64_t row = 0; row < count; ++row) pairs.emplace_back(row, count + row);
      joined = make_row_space(std::vector<int64_t>(static_cast<std::size_t>(2 * count), 1));
      Variable both = concat_rows(run.context, run.x, &joined);
      return row_similarity(run.context, both, Similarity::kEuclidean, pairs, &run.tokens);
    };
    return op;
  });
}

TEST(RowSimilarity, OfEqualRowsHasNoSlope) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({1, 1}), pair = make_row_space({1});
  std::vector<double> x{3, 4, 3, 4};
  RowPairs pairs{{0, 1}};
  for (Similarity kind : {Similarity::kCosine, Similarity::kEuclidean}) {
    Variable input = context.tape.input(tensor_of({2, 2}, DType::kF64, x.data()), &rows);
    Variable y = row_similarity(context, input, kind, pairs, &pair);
    EXPECT_DOUBLE_EQ(y.value().data<double>()[0], kind == Similarity::kCosine ? 1 : 0);
    std::vector<double> one{1};
    context.tape.backward(y, tensor_of({1, 1}, DType::kF64, one.data()));
    for (int64_t i = 0; input.grad().defined() && i < 4; ++i)
      EXPECT_NEAR(input.grad().data<double>()[i], 0, 1e-16);
  }
}

// sentence-transformers' cosine of a zero row is 0, not a NaN.
TEST(RowSimilarity, OfAZeroRowIsZero) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({1, 1}), pair = make_row_space({1});
  std::vector<double> x{0, 0, 3, 4};
  RowPairs pairs{{0, 1}};
  Variable input = context.tape.constant(tensor_of({2, 2}, DType::kF64, x.data()), &rows);
  Variable y = row_similarity(context, input, Similarity::kCosine, pairs, &pair);
  EXPECT_EQ(y.value().data<double>()[0], 0);
}

}  // namespace
}  // namespace inlay
