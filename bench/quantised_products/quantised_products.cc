// How long the two products of a frozen linear layer take over quantised weights, relative to
// packed ones in the same compute type: forward and backward at 512 rows, as in training, and
// forward alone at one row, as in decoding. All ways by turns, medians of 25 rounds.
//
//   bench_quantised_products [--dtype f32|bf16] [--threads 2] [--json]
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/text_table.h"
#include "tensor/arena.h"
#include "tensor/onednn/matmul.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

using onednn::Layout;
using onednn::PackedMatrix;

constexpr int kRounds = 25;
constexpr BlockFormat kFormats[] = {BlockFormat::kInt8Rows, BlockFormat::kNf4};

struct Options {
  std::string dtype = "f32";
  int threads = 2;
  bool json = false;
};

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
        auto begin = std::chrono::steady_clock::now();
        run(way);
        std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        if (round > 0) way.seconds.push_back(taken.count());
      }
    }
    std::vector<double> medians;
    for (Way& way : ways_) {
      std::sort(way.seconds.begin(), way.seconds.end());
      medians.push_back(way.seconds[kRounds / 2]);
    }
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

void run(const Options& options) {
  start_threads(options.threads);
  DType compute = options.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  TextTable table({"in", "out", "rows", "ms packed", "ms INT8", "ms NF4", "speed INT8", "NF4"});
  Json rows = Json::array();
  for (const Work& work : kWork) {
    std::vector<double> seconds = Layer(work, compute).measure();
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
  if (options.json) {
    fmt::print("{}\n",
               Json{{"dtype", options.dtype}, {"threads", options.threads}, {"rows", rows}}.dump());
  } else {
    fmt::print("{}", table.text());
  }
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  inlay::Options options;
  CLI::App app("Products over quantised weights against packed ones");
  app.add_option("--dtype", options.dtype)->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--threads", options.threads);
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  try {
    inlay::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_quantised_products: {}\n", error.what());
    return 1;
  }
  return 0;
}
