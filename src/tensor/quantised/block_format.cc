#include "tensor/quantised/block_format.h"

#include <array>

#include "tensor/quantised/int8_rows.h"
#include "tensor/quantised/nf4.h"
#include "tensor/quantised/q4_0.h"
#include "tensor/quantised/q4_k.h"
#include "tensor/quantised/q5_0.h"
#include "tensor/quantised/q5_k.h"
#include "tensor/quantised/q6_k.h"
#include "tensor/quantised/q8_0.h"

namespace inlay {
namespace {

// In the order of the enumerators.
constexpr std::array<BlockFormatInfo, 8> kFormats = {{
    {BlockFormat::kQ80, "Q8_0", "8 bits, a half as scale for 32", q8_0::kLength, q8_0::byte_count,
     q8_0::dequantise, q8_0::quantise},
    {BlockFormat::kQ40, "Q4_0", "4 bits, a half as scale for 32", q4_0::kLength, q4_0::byte_count,
     q4_0::dequantise, q4_0::quantise},
    {BlockFormat::kQ50, "Q5_0", "5 bits, a half as scale for 32", q5_0::kLength, q5_0::byte_count,
     q5_0::dequantise, nullptr},
    {BlockFormat::kQ4K, "Q4_K", "4 bits, a scale and a minimum of 6 bits for 32", q4_k::kLength,
     q4_k::byte_count, q4_k::dequantise, nullptr},
    {BlockFormat::kQ5K, "Q5_K", "5 bits, a scale and a minimum of 6 bits for 32", q5_k::kLength,
     q5_k::byte_count, q5_k::dequantise, nullptr},
    {BlockFormat::kQ6K, "Q6_K", "6 bits, a scale of 8 bits for 16", q6_k::kLength, q6_k::byte_count,
     q6_k::dequantise, nullptr},
    {BlockFormat::kInt8Rows, "INT8", "8 bits, a float as scale for a row", 1, int8_rows::byte_count,
     int8_rows::dequantise, int8_rows::quantise},
    {BlockFormat::kNf4, "NF4", "4 bits as quantiles of the normal distribution, 8 bits for 64",
     nf4::kLength, nf4::byte_count, nf4::dequantise, nf4::quantise},
}};

}  // namespace

std::span<const BlockFormatInfo> block_formats() { return kFormats; }

const BlockFormatInfo& block_format_info(BlockFormat format) {
  return kFormats[static_cast<std::size_t>(format)];
}

std::optional<BlockFormat> block_format_from_name(std::string_view name) {
  for (const BlockFormatInfo& info : kFormats) {
    if (info.name == name) return info.format;
  }
  return std::nullopt;
}

}  // namespace inlay
