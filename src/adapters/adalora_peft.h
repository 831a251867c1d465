// PEFT's AdaLoraConfig: all its keys, and what our method "adalora" makes of them.
#pragma once

#include "adapters/peft_form.h"

namespace inlay {

const PeftForm& adalora_peft_form();

}  // namespace inlay
