// The limit that shares of peak refer to, as Inlay measures it: the contender `inlay` of this
// benchmark. Prints one JSON line per type.
//
//   bench_gemm_peak [threads = 2]
#include <fmt/core.h>

#include <cstdlib>

#include "base/json.h"
#include "tensor/onednn/peak.h"
#include "tensor/threads.h"

int main(int argc, char** argv) {
  int threads = inlay::start_threads(argc > 1 ? std::atoi(argv[1]) : 2);
  for (inlay::DType dtype : {inlay::DType::kF32, inlay::DType::kBF16}) {
    inlay::Json line{{"contender", "inlay"},
                     {"dtype", dtype == inlay::DType::kF32 ? "f32" : "bf16"},
                     {"threads", threads},
                     {"gflops", inlay::onednn::measure_peak(dtype) / 1e9}};
    fmt::print("{}\n", line.dump());
  }
  return 0;
}
