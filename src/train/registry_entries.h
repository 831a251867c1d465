// What the registry says of a run or an adapter, read from its folder alone: training registers a
// run in this way when it is finished, and so does a rebuild years later.
//
//   registry.put(run_entries("runs/a"));             // the run, and the adapter of each fold
//   registry.put({{adapter_entry("adapters/b")}});   // Inlay's own, PEFT's or AdapterHub's
#pragma once

#include <filesystem>
#include <vector>

#include "runs/registry.h"

namespace inlay {

// Told apart by their files: a run has config.json and inputs.json, an adapter adapter_config.json.
bool is_run_folder(const std::filesystem::path& folder);
bool is_adapter_folder(const std::filesystem::path& folder);

// The run first, then its adapters. A run without a manifest is not finished and has no figures.
// kInput when a file of it is damaged or was changed.
std::vector<RegistryEntry> run_entries(const std::filesystem::path& folder);

// With the figures of its run, where it lies in one. Figures of the registry are the first of the
// task's headline; parameters are the adapter's own, without those of its head, or unknown where
// its tensors cannot be read.
RegistryEntry adapter_entry(const std::filesystem::path& folder);

// "lora[r=8]|bottleneck" is "lora|bottleneck": a method's text without its settings.
std::string method_names(const std::string& settings);

}  // namespace inlay
