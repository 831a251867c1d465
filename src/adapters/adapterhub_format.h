// AdapterHub's adapter folder: adapter_config.json with adapter.safetensors and pytorch_adapter.bin
// (its loader looks for the latter unless told otherwise), and the head in its own files; a head
// that those cannot hold stands in our head file.
#pragma once

#include <filesystem>

#include "adapters/storage.h"
#include "base/json.h"

namespace inlay {

void write_adapterhub(const std::filesystem::path& folder, const AdapterBundle& bundle,
                      const BaseFacts& base);
LoadedAdapter read_adapterhub(const std::filesystem::path& folder, const Json& config,
                              const BaseFacts& base);

}  // namespace inlay
