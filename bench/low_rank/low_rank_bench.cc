// How long the six skinny products of one LoRA linear layer take, forward and backward, and the
// bytes per second of the long matrix that they read (and write).
//
//   low_rank_bench --benchmark_filter=bf16 --benchmark_repetitions=5
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "tensor/dtype.h"
#include "tensor/kernels/low_rank.h"
#include "tensor/threads.h"

namespace inlay::kernels {
namespace {

struct Shape {
  int64_t rows;
  int64_t channels;
  int64_t rank;
};

template <class Element>
class Layer {
 public:
  explicit Layer(const Shape& shape)
      : shape_(shape),
        x_(normal<Element>(shape.rows * shape.channels)),
        u_(normal<float>(shape.rows * shape.rank)),
        factor_(normal<float>(shape.channels * shape.rank)),
        grads_(static_cast<std::size_t>(kChunks * shape.channels * shape.rank)),
        scratch_(low_rank_scratch_bytes(shape.channels, shape.rank)) {}

  void project(FactorLayout layout) {
    low_rank_project({.rows = shape_.rows,
                      .channels = shape_.channels,
                      .rank = shape_.rank,
                      .dtype = dtype_of<Element>(),
                      .layout = layout,
                      .x = x_.data(),
                      .x_stride = shape_.channels,
                      .factor = factor_.data(),
                      .u = u_.data()},
                     scratch_);
  }
  void expand_add(FactorLayout layout) {
    low_rank_expand_add({.rows = shape_.rows,
                         .channels = shape_.channels,
                         .rank = shape_.rank,
                         .scale = 1e-6f,
                         .dtype = dtype_of<Element>(),
                         .layout = layout,
                         .u = u_.data(),
                         .factor = factor_.data(),
                         .y = x_.data(),
                         .y_stride = shape_.channels},
                        scratch_);
  }
  // One chunk per example, as training calls it.
  void weight_grad(FactorLayout layout) {
    const int64_t rows = shape_.rows / kChunks;
#pragma omp parallel for schedule(static)
    for (int64_t chunk = 0; chunk < kChunks; ++chunk) {
      low_rank_weight_grad({.rows = rows,
                            .channels = shape_.channels,
                            .rank = shape_.rank,
                            .dtype = dtype_of<Element>(),
                            .layout = layout,
                            .x = x_.data() + chunk * rows * shape_.channels,
                            .x_stride = shape_.channels,
                            .u = u_.data() + chunk * rows * shape_.rank,
                            .factor_grad = grads_.data() + chunk * shape_.channels * shape_.rank});
    }
  }
  int64_t bytes() const {
    return shape_.rows * shape_.channels * static_cast<int64_t>(sizeof(Element));
  }

 private:
  static constexpr int64_t kChunks = 8;

  template <class T>
  static std::vector<T> normal(int64_t count) {
    Stream stream(1, "values");
    std::vector<T> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(T(stream.normal(static_cast<uint64_t>(i))));
    return values;
  }

  Shape shape_;
  std::vector<Element> x_;
  std::vector<float> u_, factor_, grads_;
  std::vector<std::byte> scratch_;
};

template <class Element>
using Operation = void (Layer<Element>::*)(FactorLayout);

template <class Element>
void add_one(const std::string& name, const Shape& shape, Operation<Element> operation,
             FactorLayout layout, int64_t passes) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State& state) {
        Layer<Element> layer(shape);
        for (auto _ : state) (layer.*operation)(layout);
        state.SetBytesProcessed(state.iterations() * passes * layer.bytes());
      })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

template <class Element>
void add(const std::string& name, const Shape& shape) {
  constexpr FactorLayout kA = FactorLayout::kRankByChannel, kB = FactorLayout::kChannelByRank;
  add_one<Element>(name + "/project", shape, &Layer<Element>::project, kA, 1);
  add_one<Element>(name + "/expand_add", shape, &Layer<Element>::expand_add, kB, 2);
  add_one<Element>(name + "/project_grad", shape, &Layer<Element>::project, kB, 1);
  add_one<Element>(name + "/expand_add_dx", shape, &Layer<Element>::expand_add, kA, 2);
  add_one<Element>(name + "/weight_grad_b", shape, &Layer<Element>::weight_grad, kB, 1);
  add_one<Element>(name + "/weight_grad_a", shape, &Layer<Element>::weight_grad, kA, 1);
}

}  // namespace
}  // namespace inlay::kernels

int main(int argc, char** argv) {
  using inlay::BFloat16;
  using inlay::kernels::add;
  inlay::start_threads(0);
  add<BFloat16>("1024x768_r8/bf16", {1024, 768, 8});
  add<float>("1024x768_r8/f32", {1024, 768, 8});
  add<BFloat16>("1024x384_r8/bf16", {1024, 384, 8});
  add<BFloat16>("1024x768_r16/bf16", {1024, 768, 16});
  add<BFloat16>("1024x3072_r8/bf16", {1024, 3072, 8});
  add<BFloat16>("200x384_r8/bf16", {200, 384, 8});
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
