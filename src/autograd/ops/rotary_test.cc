#include "autograd/ops/rotary.h"

#include <memory>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

constexpr int32_t kPositions = 30;

RotaryTables tables_of(int64_t pairs) {
  RotaryTables tables{Tensor::empty({kPositions, pairs}, DType::kF32),
                      Tensor::empty({kPositions, pairs}, DType::kF32)};
  for (int64_t i = 0; i < tables.cosine.count(); ++i) {
    double angle = static_cast<double>(i / pairs) / (1.0 + static_cast<double>(i % pairs));
    out(tables.cosine).store(i, std::cos(angle));
    out(tables.sine).store(i, std::sin(angle));
  }
  return tables;
}

int64_t heads_of(int64_t channels) { return channels % 20 == 0 ? 2 : 1; }

TEST(Rotary, KeepsTheContractWholeAndInPart) {
  for (int64_t left_alone : {0, 2}) {
    for (Precision precision : {Precision::kFull, Precision::kCompute}) {
      expect_op_contract([&](int64_t channels) {
        int64_t heads = heads_of(channels);
        auto tables =
            std::make_shared<RotaryTables>(tables_of((channels / heads - left_alone) / 2));
        return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                      .function = [tables, heads](OpRun& run) {
                        return rotary(run.context, run.x[0], heads, *tables,
                                      run.numbers(run.tokens, kPositions));
                      }};
      });
    }
  }
}

}  // namespace
}  // namespace inlay
