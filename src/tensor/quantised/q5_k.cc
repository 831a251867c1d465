#include "tensor/quantised/q5_k.h"

#include "tensor/quantised/block_rows.h"
#include "tensor/quantised/q4_k.h"

namespace inlay::q5_k {
namespace {

void dequantise_block(const std::byte* src, float* dst) {
  const q4_k::Parts parts = q4_k::parts_of(src);
  for (int64_t e = 0; e < kLength; ++e) {
    const int64_t part = e / q4_k::kPart, i = e % q4_k::kPart;
    const auto at = static_cast<std::size_t>(part);
    const int both = static_cast<int>(src[kSteps + part / 2 * q4_k::kPart + i]);
    const int low = part % 2 == 0 ? both & 15 : both >> 4;
    const int top = static_cast<int>(src[kHigh + i]) >> part & 1;
    const float scaled = parts.scale[at] * static_cast<float>(low | top << 4);
    dst[e] = scaled - parts.minimum[at];
  }
}

}  // namespace

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(size.count() / kLength * kBytes);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  for_blocks(rows, kLength, kBytes, dst, dequantise_block);
}

}  // namespace inlay::q5_k
