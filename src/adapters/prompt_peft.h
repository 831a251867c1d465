// PEFT's PrefixTuningConfig, PromptTuningConfig and PromptEncoderConfig. Its files hold what the
// base reads, one tensor `prompt_embeddings`: a network that made it is not in them.
#pragma once

#include "adapters/peft_form.h"

namespace inlay {

const PeftForm& prefix_tuning_peft_form();
const PeftForm& prompt_tuning_peft_form();
const PeftForm& p_tuning_peft_form();

}  // namespace inlay
