// Our own adapter folder, for methods that no other library writes: adapter_config.json with our
// record, the trained tensors in adapter.safetensors under the names that Hugging Face gives them
// in the bare model, and the head beside.
#pragma once

#include <filesystem>

#include "adapters/storage.h"
#include "base/json.h"

namespace inlay {

void write_native(const std::filesystem::path& folder, const AdapterBundle& bundle,
                  const BaseFacts& base);
LoadedAdapter read_native(const std::filesystem::path& folder, const Json& config,
                          const BaseFacts& base);

}  // namespace inlay
