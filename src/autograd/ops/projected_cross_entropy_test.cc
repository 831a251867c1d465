#include "autograd/ops/projected_cross_entropy.h"

#include <memory>

#include "autograd/gradient_check.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/scale.h"
#include "tensor/quantised/quantised_test.h"

namespace inlay {
namespace {

constexpr int32_t kVocabulary = 23;

// Pieces of 8, 8 and 7 words.
std::shared_ptr<VocabularyProjection> projection_of(int64_t channels) {
  return std::make_shared<VocabularyProjection>(drawn_tensor("words", {kVocabulary, channels}), 8);
}

std::shared_ptr<VocabularyProjection> quantised_projection(const QuantisedMatrix& words) {
  return std::make_shared<VocabularyProjection>(words, 8);
}

std::vector<int32_t>& targets_of(OpRun& run) {
  std::vector<int32_t>& targets = run.numbers(run.tokens, kVocabulary);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (run.tokens.token_position[i] % 5 == 4) targets[i] = kIgnoredLabel;
  }
  return targets;
}

OpCase loss_case(int64_t channels, std::shared_ptr<VocabularyProjection> projection,
                 Precision precision = Precision::kFull, double soft_cap = 0) {
  return {.inputs = {{channels, RowsOf::kTokens, precision}},
          .function = [projection, soft_cap](OpRun& run) {
            return projected_cross_entropy(run.context, run.x[0], *projection, targets_of(run),
                                           {.normalizer = 3.0, .soft_cap = soft_cap});
          }};
}

TEST(ProjectedCrossEntropy, KeepsTheContract) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract(
        [&](int64_t channels) { return loss_case(channels, projection_of(channels), precision); });
  }
}

TEST(ProjectedCrossEntropy, KeepsTheContractWithCappedLogits) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return loss_case(channels, projection_of(channels), precision, 2.5);
    });
  }
}

TEST(ProjectedCrossEntropy, KeepsTheContractOverAQuantisedVocabulary) {
  expect_op_contract([](int64_t channels) {
    return loss_case(channels, quantised_projection(
                                   drawn_matrix(BlockFormat::kInt8Rows, kVocabulary, channels)));
  });
}

TEST(ProjectedCrossEntropy, AQuantisedVocabularyGivesWhatItsNumbersGive) {
  QuantisedMatrix words = drawn_matrix(BlockFormat::kNf4, kVocabulary, 64);
  auto dense = std::make_shared<VocabularyProjection>(words.dequantised(DType::kF32), 8);
  for (DType compute : {DType::kF64, DType::kF32, DType::kBF16}) {
    auto found = OpTrial(loss_case(64, quantised_projection(words)), {70, 3}).run(compute, {2});
    auto wanted = OpTrial(loss_case(64, dense), {70, 3}).run(compute, {2});
    for (std::size_t r = 0; r < wanted.size(); ++r)
      expect_near(found[r], wanted[r].numbers, 1e-6 * largest_magnitude(wanted[r].numbers));
  }
}

NamedNumbers named(const char* name, const Tensor& tensor) {
  const auto* first = tensor.data<double>();
  return {name, {first, first + tensor.count()}};
}

// Losses of 7 rows, and the gradient of the rows.
struct Found {
  NamedNumbers losses, grad;
};

template <class Loss>
Found walk(const Loss& loss) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({4, 3});
  ++context.forward;
  Tensor x = drawn_tensor("x", {7, 12}, DType::kF64);
  Variable hidden = context.tape.input(x.clone(&context.arena), &rows);
  Variable y = loss(context, hidden);
  Found found{named("losses", y.value()), {}};
  Tensor seed = Tensor::empty(y.shape(), DType::kF64, &context.arena);
  for (int64_t i = 0; i < seed.count(); ++i) out(seed).store(i, 1.0);
  context.tape.backward(y, seed);
  found.grad = named("gradient", hidden.grad());
  return found;
}

// In float64 the pieces give what the whole gives.
TEST(ProjectedCrossEntropy, IsTheCrossEntropyOfTheWholeProduct) {
  auto projection = projection_of(12);
  FrozenWeight whole(drawn_tensor("words", {kVocabulary, 12}), Tensor(), onednn::Layout::kOutIn,
                     nullptr);
  std::vector<int32_t> targets{0, 22, 7, 8, 16, kIgnoredLabel, 1};
  for (double cap : {0.0, 0.7, 2.5, 30.0}) {
    SCOPED_TRACE(cap);
    Found pieces = walk([&](OpContext& context, const Variable& hidden) {
      return projected_cross_entropy(context, hidden, *projection, targets,
                                     {.normalizer = 6.0, .soft_cap = cap});
    });
    Found plain = walk([&](OpContext& context, const Variable& hidden) {
      Variable logits = linear(context, hidden, {.frozen = &whole}, Precision::kFull);
      if (cap != 0) {
        Variable bent = activation(context, scale(context, logits, 1 / cap), Activation::kTanh);
        logits = scale(context, bent, cap);
      }
      return cross_entropy(context, logits, targets, {.normalizer = 6.0});
    });
    expect_near(pieces.losses, plain.losses.numbers, 1e-12);
    expect_near(pieces.grad, plain.grad.numbers, 1e-12);
  }
}

// The only word there is: rounding takes nothing off its probability.
TEST(ProjectedCrossEntropy, ASureTargetHasNoLossUnderACap) {
  VocabularyProjection projection(Tensor::of<float>({1, 1}, std::vector<float>{1}));
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({5});
  Variable hidden = context.tape.constant(drawn_tensor("x", {5, 1}), &rows);
  std::vector<int32_t> targets(5, 0);
  Variable y = projected_cross_entropy(context, hidden, projection, targets, {.soft_cap = 30});
  for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(y.value().data<float>()[i], 0);
}

TEST(ProjectedCrossEntropy, StoresNoLogitsOfTheWholeVocabulary) {
  constexpr int64_t kWords = 20000, kChannels = 32, kRows = 256;
  VocabularyProjection projection(drawn_tensor("words", {kWords, kChannels}), 1024);
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({kRows});
  std::vector<int32_t> targets(kRows, 5);
  ++context.forward;
  Variable hidden =
      context.tape.input(drawn_tensor("x", {kRows, kChannels}).clone(&context.arena), &rows);
  Variable y = projected_cross_entropy(context, hidden, projection, targets, {});
  EXPECT_LT(context.arena.touched_bytes(), static_cast<std::size_t>(kRows * kWords * 4 / 8));
  context.tape.clear();
}

TEST(ProjectedCrossEntropy, RefusesTargetsOutsideTheVocabulary) {
  auto projection = projection_of(4);
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1});
  Variable hidden = context.tape.constant(drawn_tensor("x", {1, 4}), &rows);
  std::vector<int32_t> targets{kVocabulary};
  EXPECT_THROW(projected_cross_entropy(context, hidden, *projection, targets, {}), Error);
}

}  // namespace
}  // namespace inlay
