#include "tensor/kernels/attention.h"

#include "tensor/kernels/attention_reference.h"

namespace inlay::kernels {

std::size_t attention_scratch_bytes(const AttentionArgs& /*args*/) { return 64; }
std::size_t attention_backward_scratch_bytes(const AttentionArgs& /*args*/) { return 64; }

void attention_forward(const AttentionArgs& args, std::span<std::byte> /*scratch*/) {
  if (args.dtype == DType::kF64) return attention_reference_forward<double>(args);
  if (args.dtype == DType::kBF16) return attention_reference_forward<BFloat16>(args);
  attention_reference_forward<float>(args);
}

void attention_backward(const AttentionGradArgs& args, std::span<std::byte> /*scratch*/) {
  if (args.forward.dtype == DType::kF64) return attention_reference_backward<double>(args);
  if (args.forward.dtype == DType::kBF16) return attention_reference_backward<BFloat16>(args);
  attention_reference_backward<float>(args);
}

}  // namespace inlay::kernels
