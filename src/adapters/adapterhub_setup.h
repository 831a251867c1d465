// A composition as AdapterHub keeps it: adapter_setup.json with the tree, a folder for each adapter
// under its name, and for each fusion a folder "a,b" with adapter_fusion_config.json and its
// tensors in model_adapter_fusion.safetensors and pytorch_model_adapter_fusion.bin.
//
// Stacks and fusions of bottlenecks compute the same there. An average is divided twice there, a
// split must be as long as the text, and so they are refused by name.
#pragma once

#include <filesystem>

#include "adapters/storage.h"

namespace inlay {

inline constexpr const char* kSetupFile = "adapter_setup.json";

// REQUIRES: the adapter is a composition.
void write_adapterhub_setup(const std::filesystem::path& folder, const AdapterBundle& bundle,
                            const BaseFacts& base);
// Whether a folder holds a composition in this form.
bool is_adapterhub_setup(const std::filesystem::path& folder);
LoadedAdapter read_adapterhub_setup(const std::filesystem::path& folder, const BaseFacts& base);
// What the record says of the task; empty where AdapterHub wrote the folder.
HeadLabel recorded_setup_label(const std::filesystem::path& folder);

}  // namespace inlay
