// How long the two products of a frozen linear layer take over quantised weights, relative to
// packed ones in the same compute type: forward and backward at 512 rows, as in training, and
// forward alone at one row, as in decoding. All ways by turns, medians of 25 rounds.
//
//   bench_quantised_products [--dtype f32|bf16] [--threads 2] [--json]
#include <vector>

#include "../bench_program.h"
#include "base/random.h"
#include "tensor/arena.h"
#include "tensor/onednn/matmul.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

using onednn::Layout;
using onednn::PackedMatrix;

constexpr int kRounds = 25;
constexpr BlockFormat kFormats[] = {BlockFormat::kInt8Rows, BlockFormat::kNf4};

struct Work {
  int64_t in, out, rows;
};
constexpr Work kWork[] = {{576, 576, 512},  {576, 1536, 512}, {1536, 576, 512}, {768, 768, 512},
                          {768, 3072, 512}, {3072, 768, 512}, {576, 1536, 1},   {768, 3072, 1}};

Tensor normal(const Shape& shape) {
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  Stream stream(1, "numbers");
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = stream.normal(static_cast<uint64_t>(i));
  return tensor;
}

// A weight in both directions.
struct Way {
  PackedMatrix forward, backward;
  std::vector<double> seconds;
};

class Layer {
 public:
  Layer(const Work& work, DType compute)
      : work_(work),
        x_(normal({work.rows, work.in}).to(compute)),
        grad_(normal({work.rows, work.out}).to(compute)),
        y_(Tensor::empty({work.rows, work.out}, DType::kF32)),
        grad_x_(Tensor::empty({work.rows, work.in}, DType::kF32)) {
    Tensor weight = normal({work.out, work.in});
    ways_.push_back({PackedMatrix::pack(weight, Layout::kOutIn, compute),
                     PackedMatrix::pack(weight, Layout::kInOut, compute),
                     {}});
    for (BlockFormat format : kFormats) {
      QuantisedMatrix quantised = QuantisedMatrix::quantise(weight, format);
      ways_.push_back({PackedMatrix::over(quantised, Layout::kOutIn, compute),
                       PackedMatrix::over(quantised, Layout::kInOut, compute),
                       {}});
    }
  }

  // Median seconds: packed, then each format.
  std::vector<double> measure() {
    for (int round = 0; round <= kRounds; ++round) {
      for (Way& way : ways_) {
        double begin = now();
        run(way);
        if (round > 0) way.seconds.push_back(now() - begin);
      }
    }
    std::vector<double> medians;
    for (const Way& way : ways_) medians.push_back(median(way.seconds));
    return medians;
  }

 private:
  void run(const Way& way) {
    product(x_, way.forward, y_);
    if (work_.rows > 1) product(grad_, way.backward, grad_x_);
  }
  void product(const Tensor& src, const PackedMatrix& weight, const Tensor& dst) {
    runtime_.matmul({.src = src.raw(), .rows = work_.rows, .dst = dst.mutable_raw()}, weight);
  }

  Work work_;
  Tensor x_, grad_, y_, grad_x_;
  std::vector<Way> ways_;
  Arena arena_;
  onednn::Runtime runtime_{&arena_};
};

void run(const BenchOptions& options) {
  start_threads(options.threads);
  TextTable table({"in", "out", "rows", "ms packed", "ms INT8", "ms NF4", "speed INT8", "NF4"});
  Json rows = Json::array();
  for (const Work& work : kWork) {
    std::vector<double> seconds = Layer(work, options.compute()).measure();
    double int8_speed = seconds[0] / seconds[1], nf4_speed = seconds[0] / seconds[2];
    rows.push_back({{"in", work.in},
                    {"out", work.out},
                    {"rows", work.rows},
                    {"ms_packed", 1e3 * seconds[0]},
                    {"ms_int8", 1e3 * seconds[1]},
                    {"ms_nf4", 1e3 * seconds[2]},
                    {"speed_int8", int8_speed},
                    {"speed_nf4", nf4_speed}});
    table.add_row({std::to_string(work.in), std::to_string(work.out), std::to_string(work.rows),
                   fmt::format("{:.3f}", 1e3 * seconds[0]), fmt::format("{:.3f}", 1e3 * seconds[1]),
                   fmt::format("{:.3f}", 1e3 * seconds[2]), fmt::format("{:.2f}", int8_speed),
                   fmt::format("{:.2f}", nf4_speed)});
  }
  options.print({{"dtype", options.dtype}, {"threads", options.threads}, {"rows", rows}}, table);
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  inlay::BenchOptions options{.dtype = "f32"};
  CLI::App app("Products over quantised weights against packed ones");
  options.add_to(app);
  app.add_flag("--json", options.json);
  return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
}
