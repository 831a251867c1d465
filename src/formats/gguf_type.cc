#include "formats/gguf_type.h"

#include <algorithm>
#include <array>

namespace inlay {
namespace {

constexpr GgufType plain(uint32_t id, std::string_view name, int64_t bytes, DType dtype) {
  return {id, name, 1, bytes, dtype, std::nullopt};
}

constexpr GgufType blocks(uint32_t id, std::string_view name, int64_t length, int64_t bytes,
                          std::optional<BlockFormat> format = std::nullopt) {
  return {id, name, length, bytes, std::nullopt, format};
}

// Numbers and sizes: ggml.h and ggml-common.h of llama.cpp.
constexpr std::array kTypes = {
    plain(0, "F32", 4, DType::kF32),
    plain(1, "F16", 2, DType::kF16),
    blocks(2, "Q4_0", 32, 18, BlockFormat::kQ40),
    blocks(3, "Q4_1", 32, 20),
    blocks(6, "Q5_0", 32, 22, BlockFormat::kQ50),
    blocks(7, "Q5_1", 32, 24),
    blocks(8, "Q8_0", 32, 34, BlockFormat::kQ80),
    blocks(9, "Q8_1", 32, 36),
    blocks(10, "Q2_K", 256, 84),
    blocks(11, "Q3_K", 256, 110),
    blocks(12, "Q4_K", 256, 144, BlockFormat::kQ4K),
    blocks(13, "Q5_K", 256, 176, BlockFormat::kQ5K),
    blocks(14, "Q6_K", 256, 210, BlockFormat::kQ6K),
    blocks(15, "Q8_K", 256, 292),
    blocks(16, "IQ2_XXS", 256, 66),
    blocks(17, "IQ2_XS", 256, 74),
    blocks(18, "IQ3_XXS", 256, 98),
    blocks(19, "IQ1_S", 256, 50),
    blocks(20, "IQ4_NL", 32, 18),
    blocks(21, "IQ3_S", 256, 110),
    blocks(22, "IQ2_S", 256, 82),
    blocks(23, "IQ4_XS", 256, 136),
    plain(24, "I8", 1, DType::kI8),
    plain(25, "I16", 2, DType::kI16),
    plain(26, "I32", 4, DType::kI32),
    plain(27, "I64", 8, DType::kI64),
    plain(28, "F64", 8, DType::kF64),
    blocks(29, "IQ1_M", 256, 56),
    plain(30, "BF16", 2, DType::kBF16),
    blocks(34, "TQ1_0", 256, 54),
    blocks(35, "TQ2_0", 256, 66),
    blocks(39, "MXFP4", 32, 17),
};

template <class Matches>
const GgufType* find_where(const Matches& matches) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), matches);
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace

const GgufType* find_gguf_type(uint32_t id) {
  return find_where([&](const GgufType& type) { return type.id == id; });
}

const GgufType* find_gguf_type(DType dtype) {
  return find_where([&](const GgufType& type) { return type.dtype == dtype; });
}

const GgufType* find_gguf_type(BlockFormat format) {
  return find_where([&](const GgufType& type) { return type.format == format; });
}

}  // namespace inlay
