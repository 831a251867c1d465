// What every op needs besides its inputs: memory, the tape, oneDNN's compiled kernels, the compute
// type, and the counters that random numbers are a function of. One per thread of work; many may
// run over one frozen base.
#pragma once

#include <cstdint>
#include <memory>

#include "autograd/parameter.h"
#include "autograd/tape.h"
#include "tensor/arena.h"
#include "tensor/onednn/matmul.h"

namespace inlay {

class UseLog;

// The type an op's result is stored in: the compute type where the next op is a product that rounds
// anyway, or full (float32; float64 in gradient checks) for the residual stream, norms and losses.
enum class Precision { kCompute, kFull };

struct OpContext {
  explicit OpContext(DType compute_type) : compute(compute_type) {}

  DType dtype(Precision precision) const {
    if (compute == DType::kF64) return DType::kF64;
    return precision == Precision::kCompute ? compute : DType::kF32;
  }

  // Shared with the parameters whose gradients it holds, so that an error on the way may unwind in
  // any order.
  std::shared_ptr<Arena> memory = std::make_shared<Arena>();
  Arena& arena = *memory;
  Tape tape{&arena};
  onednn::Runtime runtime{&arena};
  DType compute;          // kF32, kBF16, or kF64 (plain loops, for gradient checks)
  bool training = false;  // dropout is active
  // Products of a few rows take weights as files store them, at the speed of memory and without
  // packing them; their bits are not those of batches. Nothing may be recorded meanwhile.
  bool generating = false;
  // Memory before speed: products read frozen weights where they are stored, without packing them,
  // and the inner values of blocks are computed again in the backward pass (nn/recomputed.h).
  onednn::Reading weights = onednn::Reading::kPacked;
  bool recompute = false;
  UseLog* uses = nullptr;  // of the block that is being run, where it is recomputed
  uint64_t seed = 0;
  uint32_t step = 0;
  // Floating-point operations of every product that was needed, twice a multiply-add each: what a
  // share of peak counts. Rows that only round a shape up and products that are computed again do
  // not count.
  double useful_flops = 0;
  uint64_t forward = 0;  // the number of the current forward pass; see Parameter::begin_use
};

}  // namespace inlay
