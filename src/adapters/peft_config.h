// PEFT's LoraConfig as it stands in adapter_config.json: all its keys, which of them change the
// mathematics, and what our method "lora" makes of them.
#pragma once

#include "adapters/peft_targets.h"
#include "base/json.h"

namespace inlay {

// Every key with PEFT's own value for an adapter of method "lora"; the caller adds what concerns
// base, task and head.
Json lora_to_peft(const Json& fields, const PeftModel& model, const SiteSet& adapted);

// Refuses by name every key whose value would change the mathematics in a way that is not
// implemented.
void check_peft_config(const Json& config, const std::string& where);

// The lists of adapter_config.json, their types checked.
PeftTargets peft_targets(const Json& config, const std::string& where);

// The fields of method "lora". REQUIRES: check_peft_config().
Json lora_from_peft(const Json& config, const PeftModel& model, const SiteSet& adapted,
                    const std::string& where);

}  // namespace inlay
