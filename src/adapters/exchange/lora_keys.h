// All settings of LoRA in the configuration files of PEFT and of AdapterHub: which are read, which
// say nothing about trained values, and which would change the mathematics.
#pragma once

#include <vector>

#include "adapters/foreign_keys.h"

namespace inlay::exchange {

// What PEFT puts before the name of each module.
inline constexpr const char* kPeftKeyPrefix = "base_model.model.";

// Of adapter_config.json.
const std::vector<ForeignKey>& peft_lora_keys();
// Of the object "config" in adapter_config.json.
const std::vector<ForeignKey>& adapterhub_lora_keys();

}  // namespace inlay::exchange
