#include "tensor/kernels/low_rank.h"

#include "base/error.h"
#include "tensor/kernels/low_rank_reference.h"

namespace inlay::kernels {

std::size_t low_rank_scratch_bytes(int64_t channels, int64_t rank) {
  return static_cast<std::size_t>(channels * rank) * sizeof(float) + 64;
}

void low_rank_project(const LowRankProject& args, std::span<std::byte> /*scratch*/) {
  if (args.dtype == DType::kF64) return low_rank_reference_project<double>(args);
  if (args.dtype == DType::kBF16) return low_rank_reference_project<BFloat16>(args);
  low_rank_reference_project<float>(args);
}

void low_rank_expand_add(const LowRankExpandAdd& args, std::span<std::byte> /*scratch*/) {
  if (args.dtype == DType::kF64) return low_rank_reference_expand_add<double>(args);
  if (args.dtype == DType::kBF16) return low_rank_reference_expand_add<BFloat16>(args);
  low_rank_reference_expand_add<float>(args);
}

void low_rank_weight_grad(const LowRankWeightGrad& args) {
  if (args.dtype == DType::kF64) return low_rank_reference_weight_grad<double>(args);
  if (args.dtype == DType::kBF16) return low_rank_reference_weight_grad<BFloat16>(args);
  low_rank_reference_weight_grad<float>(args);
}

}  // namespace inlay::kernels
