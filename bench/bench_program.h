// What the measuring programs have in common: the options of all, the clock, and how they end.
//
//   int main(int argc, char** argv) {
//     inlay::BenchOptions options;
//     CLI::App app("How long it takes");
//     options.add_to(app);
//     return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
//   }
#pragma once

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text_table.h"
#include "tensor/dtype.h"

namespace inlay {

struct BenchOptions {
  std::string dtype = "bf16";
  int threads = 2;
  bool json = false;  // --json, of programs that print a table else

  void add_to(CLI::App& app) {
    app.add_option("--dtype", dtype)->check(CLI::IsMember({"f32", "bf16"}));
    app.add_option("--threads", threads);
  }
  DType compute() const { return dtype == "bf16" ? DType::kBF16 : DType::kF32; }
  void print(const Json& figures, const TextTable& table) const {
    json ? fmt::print("{}\n", figures.dump()) : fmt::print("{}", table.text());
  }
};

// In seconds, from some point in time.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The upper one of two in the middle. REQUIRES: a value.
inline double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Reads the command line, runs run(), and gives the exit code; what fails is said as an error.
template <class Run>
int run_bench(CLI::App& app, int argc, char** argv, const Run& run) {
  CLI11_PARSE(app, argc, argv);
  try {
    run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
  return 0;
}

}  // namespace inlay
