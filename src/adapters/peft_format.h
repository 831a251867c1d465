// PEFT's adapter folder: adapter_config.json and adapter_model.safetensors, which AutoPeftModel
// reads.
//
// Where the head is Hugging Face's own for the family, its tensors are in the same file, as PEFT
// saves it for SEQ_CLS and TOKEN_CLS; any other head stands in our head file beside, and the
// adapter is one of the bare model (FEATURE_EXTRACTION).
#pragma once

#include <filesystem>

#include "adapters/storage.h"
#include "base/json.h"

namespace inlay {

void write_peft(const std::filesystem::path& folder, const AdapterBundle& bundle,
                const BaseFacts& base);
LoadedAdapter read_peft(const std::filesystem::path& folder, const Json& config,
                        const BaseFacts& base);

}  // namespace inlay
