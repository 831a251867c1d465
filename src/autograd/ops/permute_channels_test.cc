#include "autograd/ops/permute_channels.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(PermuteChannels, PutsThemInOrder) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      std::vector<int64_t> from;
      from.reserve(static_cast<std::size_t>(channels));
      for (int64_t c = 0; c < channels; ++c) from.push_back((c + channels - 3) % channels);
      auto order = std::make_shared<std::vector<int64_t>>(from);
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                    .function = [order](OpRun& run) {
                      return permute_channels(run.context, run.x[0], *order);
                    }};
    });
  }
}

TEST(PermuteChannels, TakesEachFromTheNamedPlace) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1});
  std::vector<int64_t> from = {2, 0, 1};
  Variable x = context.tape.constant(
      tensor_of({1, 3}, DType::kF32, std::vector<double>{5, 6, 7}.data()), &rows);
  Tensor y = permute_channels(context, x, from).value();
  EXPECT_EQ(y.data<float>()[0], 7);
  EXPECT_EQ(y.data<float>()[1], 5);
  EXPECT_EQ(y.data<float>()[2], 6);
}

}  // namespace
}  // namespace inlay
