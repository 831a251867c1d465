#include "tensor/dtype.h"

#include <array>
#include <cmath>

namespace inlay {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Row, 13> kTable = {{{DType::kBool, "BOOL", 1},
                                         {DType::kU8, "U8", 1},
                                         {DType::kI8, "I8", 1},
                                         {DType::kI16, "I16", 2},
                                         {DType::kU16, "U16", 2},
                                         {DType::kF16, "F16", 2},
                                         {DType::kBF16, "BF16", 2},
                                         {DType::kI32, "I32", 4},
                                         {DType::kU32, "U32", 4},
                                         {DType::kF32, "F32", 4},
                                         {DType::kF64, "F64", 8},
                                         {DType::kI64, "I64", 8},
                                         {DType::kU64, "U64", 8}}};

}  // namespace

std::size_t dtype_size(DType dtype) { return kTable[static_cast<std::size_t>(dtype)].size; }

std::string_view dtype_name(DType dtype) { return kTable[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Row& row : kTable) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

bool is_floating(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 ||
         dtype == DType::kF64;
}

Float16::Float16(float value) {
  uint32_t word = std::bit_cast<uint32_t>(value);
  auto sign = static_cast<uint16_t>((word >> 16) & 0x8000u);
  float magnitude = std::fabs(value);
  if (std::isnan(value)) {
    bits = static_cast<uint16_t>(sign | 0x7e00u);
  } else if (magnitude >= 65520.0f) {  // halfway between the largest half and the next power of two
    bits = static_cast<uint16_t>(sign | 0x7c00u);
  } else if (magnitude < 0x1p-14f) {  // subnormal: units of 2^-24; nearbyint rounds to even
    bits = static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f)));
  } else {
    uint32_t rebased = (word & 0x7fffffffu) - (112u << 23);
    bits = static_cast<uint16_t>(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13));
  }
}

Float16::operator float() const {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  uint32_t exponent = (bits >> 10) & 0x1fu;
  uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0) {
    float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  uint32_t word = exponent == 31 ? 0x7f800000u | (mantissa << 13)
                                 : ((exponent + 112u) << 23) | (mantissa << 13);
  return std::bit_cast<float>(sign | word);
}

}  // namespace inlay
