// The heads by which the rows of q_proj and k_proj are reordered for a format that interleaves them
// (formats/rotary_rows.h).
#pragma once

#include <cstdint>
#include <string>

#include "adapters/exchange/base_shape.h"
#include "adapters/exchange/lora_adapter.h"

namespace inlay::exchange {

// Whether rotary positions turn what the module gives.
bool is_rotary(const LoraModule& module);

// REQUIRES: is_rotary(module). kUsage when the heads are not known, kInput when the module's
// outputs are not that many heads of an even size.
int64_t rotary_heads(const LoraModule& module, const BaseShape& base, const std::string& format);

}  // namespace inlay::exchange
