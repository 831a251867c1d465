// Gradients of every adapter method on every family: they are derivatives, and depend neither on
// precision beyond rounding, nor on threads, nor on how a batch is cut, nor on memory modes.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"
#include "method_contract.h"

namespace inlay {
namespace {

TEST_P(MethodContract, GradientsInFloatAgreeWithThoseInDouble) {
  train(learner_);
  std::vector<Tensor> narrow = gradients(learner_, DType::kF32);
  learner_.adapter->convert(DType::kF64);
  for (Parameter& parameter : learner_.head->parameters()) parameter.convert(DType::kF64);
  std::vector<Tensor> wide = gradients(learner_, DType::kF64);
  double largest = 0;
  for (const Tensor& gradient : wide) {
    for (int64_t i = 0; gradient.defined() && i < gradient.count(); ++i) {
      largest = std::max(largest, std::fabs(in(gradient).load<double>(i)));
    }
  }
  // Norms by the statistics of tiny maps multiply roundings.
  double bound = rounding() * largest * (learner_.adapter->method().couples_batch() ? 5 : 1);
  std::vector<Parameter*> parameters = learner_.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    ASSERT_EQ(narrow[p].defined(), wide[p].defined()) << parameters[p]->name();
    for (int64_t i = 0; wide[p].defined() && i < wide[p].count(); ++i) {
      ASSERT_NEAR(in(narrow[p]).load<double>(i), in(wide[p]).load<double>(i), bound)
          << parameters[p]->name() << " at " << i;
    }
  }
}

// d loss / d parameter along a drawn direction, against the difference of two losses. Once per
// method: what a family adds is checked by its own tests.
TEST_P(MethodContract, GradientsAreThoseOfFiniteDifferences) {
  if (!GetParam().first || !learner_.adapter->method().gradient_is_exact()) return;
  train(learner_);
  learner_.adapter->convert(DType::kF64);
  for (Parameter& parameter : learner_.head->parameters()) parameter.convert(DType::kF64);
  std::vector<Tensor> gradients_here = gradients(learner_, DType::kF64);
  std::vector<Parameter*> parameters = learner_.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (!gradients_here[p].defined()) continue;
    Tensor start = parameters[p]->value().clone();
    Stream stream(17, "contract/direction/" + parameters[p]->name());
    auto loss_at = [&](double distance) {
      Tensor moved = start.clone();
      for (int64_t i = 0; i < moved.count(); ++i)
        moved.mutable_data<double>()[i] += distance * stream.normal(static_cast<uint64_t>(i));
      parameters[p]->set_value(std::move(moved));
      return loss(learner_);
    };
    const double step = of_images() ? 1e-6 : 1e-5;  // across few kinks of convolutional networks
    double measured = (loss_at(step) - loss_at(-step)) / (2 * step);
    double expected = 0, size = 0;
    for (int64_t i = 0; i < start.count(); ++i) {
      double term = gradients_here[p].data<double>()[i] * stream.normal(static_cast<uint64_t>(i));
      expected += term;
      size += std::fabs(term);
    }
    parameters[p]->set_value(std::move(start));
    EXPECT_NEAR(measured, expected, 1e-5 * size + 1e-8) << parameters[p]->name();
  }
}

TEST_P(MethodContract, GradientsDoNotDependOnThreads) {
  train(learner_);
  int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  std::vector<Tensor> one = gradients(learner_, DType::kF32);
  omp_set_num_threads(2);
  std::vector<Tensor> two = gradients(learner_, DType::kF32);
  omp_set_num_threads(threads);
  for (std::size_t p = 0; p < one.size(); ++p) {
    if (!one[p].defined()) continue;
    EXPECT_TRUE(same_bits(one[p], two[p])) << learner_.parameters()[p]->name();
  }
}

TEST_P(MethodContract, Trap11GradientsDoNotDependOnMicroBatches) {
  train(learner_);
  std::vector<Tensor> whole = gradients(learner_, DType::kF32);
  std::vector<Tensor> halves = gradients(learner_, DType::kF32, piece(kExamples / 2));
  for (std::size_t p = 0; p < whole.size(); ++p) {
    if (!whole[p].defined()) continue;
    EXPECT_TRUE(same_bits(whole[p], halves[p])) << learner_.parameters()[p]->name();
  }
}

// Nor do they depend on what is computed twice, or, but for rounding, on how weights are read.
TEST_P(MethodContract, GradientsDoNotDependOnMemoryModes) {
  train(learner_);
  std::vector<Tensor> fast = gradients(learner_, DType::kF32);
  std::vector<Tensor> again =
      gradients(learner_, DType::kF32, piece(kExamples / 2), {.recompute = true});
  std::vector<Tensor> low = gradients(learner_, DType::kF32, kExamples, step_way(MemoryMode::kLow));
  for (std::size_t p = 0; p < fast.size(); ++p) {
    ASSERT_EQ(fast[p].defined(), again[p].defined());
    if (!fast[p].defined()) continue;
    EXPECT_TRUE(same_bits(fast[p], again[p])) << learner_.parameters()[p]->name();
    double size = 0;
    for (int64_t i = 0; i < fast[p].count(); ++i)
      size = std::max(size, std::fabs(double{fast[p].data<float>()[i]}));
    for (int64_t i = 0; i < fast[p].count(); ++i) {
      ASSERT_NEAR(low[p].data<float>()[i], fast[p].data<float>()[i],
                  std::max(2e-5, rounding()) * size)
          << learner_.parameters()[p]->name() << " at " << i;
    }
  }
}

}  // namespace
}  // namespace inlay
