#include "autograd/ops/channel_ranges.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(SliceChannels, KeepsTheOpContract) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels + 3, RowsOf::kTokens, precision}},
                    .function = [channels](OpRun& run) {
                      return slice_channels(run.context, run.x[0], 2, channels);
                    }};
    });
  }
}

TEST(JoinChannels, KeepsTheOpContract) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{
          .inputs = {{channels, RowsOf::kTokens, precision},
                     {channels + 1, RowsOf::kTokens, precision}},
          .function = [](OpRun& run) { return join_channels(run.context, run.x[0], run.x[1]); }};
    });
  }
}

TEST(JoinChannels, PutsTogetherWhatWasTakenApart) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({2});
  std::vector<double> numbers = {5, 6, 7, 8, 9, 10};
  Variable x = context.tape.constant(tensor_of({2, 3}, DType::kF32, numbers.data()), &rows);
  Variable left = slice_channels(context, x, 0, 1), right = slice_channels(context, x, 1, 2);
  EXPECT_EQ(left.value().data<float>()[1], 8);
  EXPECT_EQ(right.value().data<float>()[2], 9);
  Tensor swapped = join_channels(context, right, left).value();
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(swapped.data<float>()[i], (std::vector<float>{6, 7, 5, 9, 10, 8}[i]));
}

}  // namespace
}  // namespace inlay
