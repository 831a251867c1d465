// PEFT's LoraConfig: all its keys, and what our method "lora" makes of them.
#pragma once

#include "adapters/peft_form.h"

namespace inlay {

const PeftForm& lora_peft_form();

}  // namespace inlay
