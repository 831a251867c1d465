// What the memory-bound kernels move per second: bytes read and written once, over the time. Rows
// are the 1024 tokens of a batch, columns the channels of BERT-base (768) and of its intermediate
// layer (3072); each pass works on another of a few sets of buffers, as a model's layers do, so
// that little is found in the second-level cache.
//
//   memory_bound --benchmark_filter=gelu
#include <benchmark/benchmark.h>

#include <vector>

#include "base/random.h"
#include "tensor/kernels/activation.h"
#include "tensor/kernels/convert.h"
#include "tensor/kernels/cross_entropy.h"
#include "tensor/kernels/dropout.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/layer_norm.h"
#include "tensor/kernels/norm_square.h"
#include "tensor/kernels/optimizer.h"
#include "tensor/kernels/softmax.h"
#include "tensor/tensor.h"
#include "tensor/threads.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kRows = 1024;
constexpr int kSets = 4;

Input in(const Tensor& t) { return {t.raw(), t.dtype()}; }
Output out(const Tensor& t) { return {t.mutable_raw(), t.dtype()}; }

// Set-up is repeated for every measurement, so the numbers are drawn once.
const std::vector<float>& draws() {
  static const std::vector<float> values = [] {
    const Stream stream(1, "bench");
    std::vector<float> drawn(65536);
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = stream.normal(i);
    return drawn;
  }();
  return values;
}

Tensor normal(const Shape& shape, DType dtype) {
  Tensor values = Tensor::empty(shape, DType::kF32);
  float* dst = values.mutable_data<float>();
  for (int64_t i = 0; i < values.count(); ++i)
    dst[i] = draws()[static_cast<std::size_t>(i) % 65536];
  return dtype == DType::kF32 ? values : values.to(dtype);
}

// kSets tensors of one shape.
std::vector<Tensor> sets(const Shape& shape, DType dtype) {
  const Tensor first = normal(shape, dtype);
  std::vector<Tensor> tensors = {first};
  while (tensors.size() < kSets) tensors.push_back(first.clone());
  return tensors;
}

// Calls run(set) and counts `bytes` a call.
template <class Run>
void measure(benchmark::State& state, int64_t bytes, const Run& run) {
  std::size_t set = 0;
  for (auto _ : state) {
    run(set);
    set = (set + 1) % kSets;
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * bytes);
}

DType dtype_arg(const benchmark::State& state) {
  return state.range(1) == 16 ? DType::kBF16 : DType::kF32;
}

int64_t bytes_of(const std::vector<Tensor>& tensors) {
  return static_cast<int64_t>(tensors[0].byte_count());
}

void bench_convert(benchmark::State& state) {
  const DType to = dtype_arg(state), from = to == DType::kBF16 ? DType::kF32 : DType::kBF16;
  auto x = sets({kRows, state.range(0)}, from), y = sets({kRows, state.range(0)}, to);
  measure(state, bytes_of(x) + bytes_of(y),
          [&](std::size_t s) { convert(x[s].raw(), from, y[s].mutable_raw(), to, x[s].count()); });
}

void bench_add(benchmark::State& state) {
  auto x = sets({kRows, state.range(0)}, dtype_arg(state)),
       y = sets({kRows, state.range(0)}, DType::kF32);
  measure(state, bytes_of(x) + 2 * bytes_of(y),
          [&](std::size_t s) { add_in_place(out(y[s]), in(x[s]), x[s].count()); });
}

void bench_layer_norm(benchmark::State& state) {
  const Shape shape = {kRows, state.range(0)};
  const DType dtype = dtype_arg(state);
  auto x = sets(shape, dtype), residual = sets(shape, DType::kF32), y = sets(shape, DType::kF32);
  auto copy = sets(shape, DType::kBF16), xhat = sets(shape, dtype);
  const Tensor weight = normal({state.range(0)}, DType::kF32), rstd = normal({kRows}, DType::kF32);
  measure(state, bytes_of(x) + bytes_of(residual) + bytes_of(y) + bytes_of(copy) + bytes_of(xhat),
          [&](std::size_t s) {
            layer_norm_forward({.rows = kRows,
                                .channels = state.range(0),
                                .x = in(x[s]),
                                .residual = in(residual[s]),
                                .gamma = in(weight),
                                .beta = in(weight),
                                .y = out(y[s]),
                                .y_copy = out(copy[s]),
                                .xhat = out(xhat[s]),
                                .rstd = out(rstd)});
          });
}

void bench_layer_norm_backward(benchmark::State& state) {
  const Shape shape = {kRows, state.range(0)};
  auto grad_y = sets(shape, DType::kF32), xhat = sets(shape, dtype_arg(state)),
       grad_x = sets(shape, DType::kF32);
  auto copy = sets(shape, DType::kBF16);
  const Tensor weight = normal({state.range(0)}, DType::kF32), rstd = normal({kRows}, DType::kF32);
  measure(state, bytes_of(grad_y) + bytes_of(xhat) + bytes_of(grad_x) + bytes_of(copy),
          [&](std::size_t s) {
            layer_norm_backward({.rows = kRows,
                                 .channels = state.range(0),
                                 .grad_y = in(grad_y[s]),
                                 .xhat = in(xhat[s]),
                                 .rstd = in(rstd),
                                 .gamma = in(weight),
                                 .grad_x = out(grad_x[s]),
                                 .grad_x_copy = out(copy[s])});
          });
}

void bench_layer_norm_param_grad(benchmark::State& state) {
  const Shape shape = {kRows, state.range(0)};
  auto grad_y = sets(shape, DType::kF32), xhat = sets(shape, dtype_arg(state));
  const Tensor gamma = normal({state.range(0)}, DType::kF32), beta = gamma.clone();
  measure(state, bytes_of(grad_y) + bytes_of(xhat), [&](std::size_t s) {
    for (int64_t first = 0; first < kRows; first += 128) {  // one chunk an example of 128 tokens
      layer_norm_param_grad({.first = first,
                             .last = first + 128,
                             .channels = state.range(0),
                             .grad_y = in(grad_y[s]),
                             .xhat = in(xhat[s]),
                             .grad_gamma = out(gamma),
                             .grad_beta = out(beta)});
    }
  });
}

void forward_of(benchmark::State& state, Activation kind) {
  const Shape shape = {kRows, state.range(0)};
  auto x = sets(shape, dtype_arg(state)), y = sets(shape, dtype_arg(state));
  measure(state, 2 * bytes_of(x),
          [&](std::size_t s) { activation_forward(kind, in(x[s]), out(y[s]), x[s].count()); });
}

void backward_of(benchmark::State& state, Activation kind) {
  const Shape shape = {kRows, state.range(0)};
  auto x = sets(shape, dtype_arg(state)), grad = sets(shape, dtype_arg(state));
  measure(state, 3 * bytes_of(x), [&](std::size_t s) {
    activation_backward(kind, in(x[s]), in(grad[s]), out(grad[s]), x[s].count());
  });
}

void bench_gelu(benchmark::State& state) { forward_of(state, Activation::kGelu); }
void bench_gelu_backward(benchmark::State& state) { backward_of(state, Activation::kGelu); }
void bench_gelu_tanh(benchmark::State& state) { forward_of(state, Activation::kGeluTanh); }
void bench_silu(benchmark::State& state) { forward_of(state, Activation::kSilu); }
void bench_tanh(benchmark::State& state) { forward_of(state, Activation::kTanh); }

void bench_softmax(benchmark::State& state) {
  const Shape shape = {kRows, state.range(0)};
  auto x = sets(shape, dtype_arg(state)), y = sets(shape, dtype_arg(state));
  measure(state, 2 * bytes_of(x),
          [&](std::size_t s) { softmax_forward(in(x[s]), out(y[s]), kRows, state.range(0)); });
}

void bench_dropout(benchmark::State& state) {
  const Shape shape = {kRows, state.range(0)};
  auto x = sets(shape, dtype_arg(state)), y = sets(shape, dtype_arg(state));
  std::vector<int32_t> place(kRows), position(kRows);
  for (int32_t t = 0; t < kRows; ++t) {
    place[static_cast<std::size_t>(t)] = t / 128;
    position[static_cast<std::size_t>(t)] = t % 128;
  }
  const Dropout args{.rows = kRows,
                     .channels = state.range(0),
                     .example_place = place.data(),
                     .token_position = position.data(),
                     .key = Stream(1, "dropout").key(),
                     .probability = 0.1};
  measure(state, 2 * bytes_of(x), [&](std::size_t s) { dropout(args, in(x[s]), out(y[s])); });
}

// 128 rows over BERT's vocabulary; one call is forward and backward in place.
void bench_cross_entropy(benchmark::State& state) {
  const int64_t rows = 128;
  auto logits = sets({rows, state.range(0)}, dtype_arg(state));
  const Tensor loss = normal({rows}, DType::kF32), lse = loss.clone();
  const std::vector<int32_t> targets(static_cast<std::size_t>(rows), 7);
  const CrossEntropy args{.rows = rows, .classes = state.range(0), .targets = targets.data()};
  measure(state, 3 * bytes_of(logits), [&](std::size_t s) {
    cross_entropy_forward(args, in(logits[s]), out(loss), out(lse));
    cross_entropy_backward(args, in(logits[s]), in(lse), 1.0 / 128, out(logits[s]));
  });
}

void bench_adamw(benchmark::State& state) {
  const Shape shape = {kRows, state.range(0)};
  auto param = sets(shape, DType::kF32), grad = sets(shape, DType::kF32),
       m = sets(shape, DType::kF32);
  std::vector<Tensor> v(kSets);
  for (Tensor& set : v) set = Tensor::zeros(shape, DType::kF32);
  measure(state, 7 * bytes_of(param), [&](std::size_t s) {
    adamw_update({.step = 10}, {.count = param[s].count(),
                                .grad = in(grad[s]),
                                .param = out(param[s]),
                                .m = out(m[s]),
                                .v = out(v[s])});
  });
}

void bench_norm_square(benchmark::State& state) {
  auto x = sets({kRows, state.range(0)}, DType::kF32);
  measure(state, bytes_of(x),
          [&](std::size_t s) { benchmark::DoNotOptimize(norm_square(in(x[s]), x[s].count())); });
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"columns", "bits"})->UseRealTime();
  for (int64_t bits : {32, 16}) {
    for (int64_t columns : {768, 3072}) bench->Args({columns, bits});
  }
}

BENCHMARK(bench_convert)->Apply(shapes);
BENCHMARK(bench_add)->Apply(shapes);
BENCHMARK(bench_layer_norm)->Apply(shapes);
BENCHMARK(bench_layer_norm_backward)->Apply(shapes);
BENCHMARK(bench_layer_norm_param_grad)->Apply(shapes);
BENCHMARK(bench_gelu)->Apply(shapes);
BENCHMARK(bench_gelu_backward)->Apply(shapes);
BENCHMARK(bench_gelu_tanh)->Apply(shapes);
BENCHMARK(bench_silu)->Apply(shapes);
BENCHMARK(bench_tanh)->Apply(shapes);
BENCHMARK(bench_softmax)->Apply(shapes);
BENCHMARK(bench_dropout)->Apply(shapes);
BENCHMARK(bench_cross_entropy)
    ->ArgNames({"classes", "bits"})
    ->Args({30522, 32})
    ->Args({30522, 16})
    ->UseRealTime();
BENCHMARK(bench_adamw)->ArgNames({"columns"})->Arg(768)->Arg(3072)->UseRealTime();
BENCHMARK(bench_norm_square)->ArgNames({"columns"})->Arg(768)->Arg(3072)->UseRealTime();

}  // namespace
}  // namespace inlay::kernels

int main(int argc, char** argv) {
  inlay::start_threads(0);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
