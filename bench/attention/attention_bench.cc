// How fast ragged attention is, forward and backward, in GFLOP/s of the products that are needed
// once: two forward, four backward; recomputed scores and exponentials are not counted.
//
//   attention_bench --benchmark_filter=bert --benchmark_repetitions=5
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "tensor/dtype.h"
#include "tensor/kernels/attention.h"
#include "tensor/threads.h"

namespace inlay::kernels {
namespace {

struct Shape {
  int64_t heads;
  int64_t depth;
  std::vector<int64_t> lengths;
  bool causal = false;
};

template <class Element>
std::vector<Element> normal(int64_t count, const char* name) {
  Stream stream(1, name);
  std::vector<Element> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(Element(stream.normal(static_cast<uint64_t>(i))));
  return values;
}

template <class Element>
class Batch {
 public:
  explicit Batch(const Shape& shape) : shape_(shape), width_(shape.heads * shape.depth) {
    for (int64_t length : shape.lengths) {
      offsets_.push_back(offsets_.back() + length);
      pairs_ +=
          static_cast<double>(length) * static_cast<double>(length) * (shape.causal ? 0.5 : 1.0);
    }
    const int64_t count = offsets_.back() * width_;
    for (auto* each : {&q_, &k_, &v_, &out_grad_}) *each = normal<Element>(count, "values");
    for (auto* each : {&out_, &dq_, &dk_, &dv_}) each->resize(static_cast<std::size_t>(count));
    lse_.resize(static_cast<std::size_t>(offsets_.back() * shape.heads));
    scratch_.resize(
        std::max(attention_scratch_bytes(args()), attention_backward_scratch_bytes(args())));
  }

  AttentionArgs args() {
    return {.heads = shape_.heads,
            .kv_heads = shape_.heads,
            .head_dim = shape_.depth,
            .scale = 1.0f / std::sqrt(static_cast<float>(shape_.depth)),
            .causal = shape_.causal,
            .dtype = dtype_of<Element>(),
            .query_offsets = offsets_,
            .key_offsets = offsets_,
            .q = q_.data(),
            .k = k_.data(),
            .v = v_.data(),
            .out = out_.data(),
            .q_stride = width_,
            .k_stride = width_,
            .v_stride = width_,
            .out_stride = width_,
            .lse = lse_.data()};
  }
  void forward() { attention_forward(args(), scratch_); }
  void backward() {
    attention_backward({.forward = args(),
                        .out_grad = out_grad_.data(),
                        .out_grad_stride = width_,
                        .dq = dq_.data(),
                        .dk = dk_.data(),
                        .dv = dv_.data(),
                        .dq_stride = width_,
                        .dk_stride = width_,
                        .dv_stride = width_},
                       scratch_);
  }
  // Of one product over all heads.
  double flops() const { return 2.0 * pairs_ * static_cast<double>(width_); }

 private:
  Shape shape_;
  int64_t width_;
  double pairs_ = 0;
  std::vector<int64_t> offsets_{0};
  std::vector<Element> q_, k_, v_, out_grad_, out_, dq_, dk_, dv_;
  std::vector<float> lse_;
  std::vector<std::byte> scratch_;
};

template <class Element>
void run(benchmark::State& state, const Shape& shape, bool forward, bool backward) {
  Batch<Element> batch(shape);
  batch.forward();
  for (auto _ : state) {
    if (forward) batch.forward();
    if (backward) batch.backward();
  }
  const double products = (forward ? 2.0 : 0.0) + (backward ? 4.0 : 0.0);
  state.counters["GFLOP/s"] = benchmark::Counter(products * batch.flops() * 1e-9,
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

void add(const std::string& name, const Shape& shape) {
  struct Part {
    const char* name;
    bool forward, backward;
  };
  for (const Part& part : {Part{"forward", true, false}, Part{"backward", false, true}}) {
    benchmark::RegisterBenchmark(
        (name + "/f32/" + part.name).c_str(),
        [=](benchmark::State& state) { run<float>(state, shape, part.forward, part.backward); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(
        (name + "/bf16/" + part.name).c_str(),
        [=](benchmark::State& state) { run<BFloat16>(state, shape, part.forward, part.backward); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

// 32 sentences of 5 to 40 tokens, as review sentences are.
std::vector<int64_t> sentence_lengths() {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 32; ++i) lengths.push_back(5 + i * 23 % 36);
  return lengths;
}

}  // namespace
}  // namespace inlay::kernels

int main(int argc, char** argv) {
  using inlay::kernels::add;
  inlay::start_threads(0);
  const std::vector<int64_t> eight_of_128(8, 128);
  add("bert_8x128_h12_d64", {12, 64, eight_of_128});
  add("minilm_8x128_h12_d32", {12, 32, eight_of_128});
  add("minilm_sentences_h12_d32", {12, 32, inlay::kernels::sentence_lengths()});
  add("decoder_2x256_h9_d64", {9, 64, {256, 256}, true});
  add("long_1x1024_h12_d64", {12, 64, {1024}});
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
