#include "autograd/ops/lora.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/scale.h"

namespace inlay {
namespace {

// y is given as the last handle of a fresh value, so that its memory is reused, or kept by the
// caller.
enum class Handle { kLast, kShared };

OpCase lora_case(int64_t in, int64_t out, int64_t rank, Handle handle,
                 Precision precision = Precision::kCompute) {
  return {.inputs = {{out, RowsOf::kTokens, precision}, {in}},
          .parameters = {{rank, in}, {out, rank}},
          .function = [=](OpRun& run) {
            Variable y = run.x[0];
            if (handle == Handle::kLast) y = scale(run.context, y, 0.5);
            return lora(run.context, std::move(y), run.x[1], run.p[0], run.p[1], 0.5f);
          }};
}

TEST(Lora, AddsALowRankUpdateInPlace) {
  expect_op_contract([](int64_t in) { return lora_case(in, in + 2, 3, Handle::kLast); });
}

TEST(Lora, LeavesAValueThatOthersUseAlone) {
  expect_op_contract([](int64_t in) { return lora_case(in, in, 8, Handle::kShared); });
}

TEST(Lora, AddsToTheResidualStreamInFullPrecision) {
  expect_op_contract(
      [](int64_t in) { return lora_case(in, in + 2, 2, Handle::kLast, Precision::kFull); });
}

TEST(Lora, TakesARankBeyondAPanelOfTheKernel) {
  expect_op_contract([](int64_t in) { return lora_case(in, in, 70, Handle::kLast); });
}

TEST(Lora, AddsWhatAnotherOpMadeOfItsInput) {
  expect_op_contract([](int64_t in) {
    return OpCase{.inputs = {{in + 2, RowsOf::kTokens, Precision::kCompute},
                             {3, RowsOf::kTokens, Precision::kFull}},
                  .parameters = {{in + 2, 3}},
                  .function = [](OpRun& run) {
                    Variable y = scale(run.context, run.x[0], 0.5);
                    return low_rank_add(run.context, std::move(y), run.x[1], run.p[0], 0.5f);
                  }};
  });
}

TEST(Lora, GivesNoGradientToAFactorThatIsNotTrained) {
  for (TrainedFactors trained : {TrainedFactors{true, false}, TrainedFactors{false, true}}) {
    std::deque<Parameter> p;
    p.emplace_back("a", drawn_tensor("a", {2, 4}));
    p.emplace_back("b", drawn_tensor("b", {4, 2}));
    OpContext context(DType::kF32);
    ++context.forward;
    RowSpace rows = make_row_space({3, 2});
    Variable x = context.tape.input(drawn_tensor("x", {5, 4}), &rows);
    Variable y = context.tape.input(drawn_tensor("y", {5, 4}), &rows);
    Variable z = lora(context, y, x, p[0], p[1], 0.5f, trained);
    context.tape.backward(z, drawn_tensor("seed", {5, 4}));
    EXPECT_EQ(p[0].take_gradient().defined(), trained.a);
    EXPECT_EQ(p[1].take_gradient().defined(), trained.b);
    EXPECT_TRUE(x.grad().defined());
  }
}

TEST(Lora, StacksUpdatesOfOneInput) {
  expect_op_contract([](int64_t in) {
    return OpCase{
        .inputs = {{in}, {in}}, .parameters = {{2, in}, {in, 2}}, .function = [](OpRun& run) {
          Variable once = lora(run.context, run.x[0], run.x[1], run.p[0], run.p[1], 1.0f);
          return lora(run.context, std::move(once), run.x[1], run.p[0], run.p[1], 0.25f);
        }};
  });
}

}  // namespace
}  // namespace inlay
