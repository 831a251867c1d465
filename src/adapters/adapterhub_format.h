// AdapterHub's adapter folder: adapter_config.json with adapter.safetensors and pytorch_adapter.bin
// (its loader looks for the latter unless told otherwise), and the head in its own files; a head
// that those cannot hold stands in our head file.
//
// A composition is a folder of such folders, with adapter_setup.json in the place of
// adapter_config.json: see adapterhub_setup.h.
#pragma once

#include <filesystem>

#include "adapters/storage.h"
#include "base/json.h"

namespace inlay {

// kInput naming what AdapterHub cannot hold.
void write_adapterhub(const std::filesystem::path& folder, const AdapterBundle& bundle,
                      const BaseFacts& base);
LoadedAdapter read_adapterhub(const std::filesystem::path& folder, const Json& config,
                              const BaseFacts& base);

}  // namespace inlay
