// What all of AdapterHub's folders have in common: what they say of the base, tensors in both forms
// of file, a head beside them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_parts.h"
#include "adapters/storage.h"
#include "adapters/strict_tensors.h"
#include "formats/safetensors.h"

namespace inlay {

inline constexpr const char* kAdapterHubVersion = "adapters.1.2.0";  // whose layout is written

// Model, name and version, as every configuration file of AdapterHub has them.
Json adapterhub_about(const BaseFacts& base, const std::string& name);
// Module names hold no dots.
std::string adapterhub_name(std::string name);

// The configuration with the tensors of those entries that belong to the parts.
void write_adapterhub_files(const std::filesystem::path& folder,
                            const std::vector<AdapterHubPart>& parts, const Adapter& adapter,
                            const BaseFacts& base, const AdapterRecord& record);
// The same tensors as safetensors and as torch.save writes them.
void write_both_forms(const std::filesystem::path& folder, const std::string& safetensors,
                      const std::string& torch, const std::vector<NamedTensor>& tensors);
void write_head_beside(const std::filesystem::path& folder, const AdapterBundle& bundle,
                       const BaseFacts& base, const std::string& name);

// adapter_config.json of a folder that is of the library and of a base like this one.
struct AdapterHubConfig {
  std::string name, version;
  Json method;  // the object "config"
};
AdapterHubConfig adapterhub_config_of(const Json& config, const BaseFacts& base,
                                      const std::string& where);

// The first of the two forms that is there.
StrictTensors open_either_form(const std::filesystem::path& folder, const char* safetensors,
                               const char* torch);
// Fills the entries that belong to the parts and checks that the folder has no other tensors.
void read_adapterhub_tensors(const std::filesystem::path& folder,
                             const std::vector<AdapterHubPart>& parts, Adapter& adapter,
                             const BaseFacts& base, const std::string& name);
void read_head_beside(const std::filesystem::path& folder, const BaseFacts& base,
                      LoadedAdapter& loaded);

}  // namespace inlay
