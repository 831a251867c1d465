// An adapter as AdapterHub sees it: the methods that it consists of, one or a union's, each with
// its configuration and the keys of its tensors.
#pragma once

#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/adapterhub_form.h"

namespace inlay {

struct AdapterHubPart {
  const MethodInfo* info;
  Method* method;
  std::string beginning;  // of its tensors' parts: "", or "lora." in a union
};

// `beginning` is what all of the method's parts begin with. kInput naming a method that AdapterHub
// has no counterpart of, or a union that it does not allow.
std::vector<AdapterHubPart> adapterhub_parts(const MethodInfo& info, Method& method,
                                             const std::string& beginning = "");

// The object "config".
Json adapterhub_config(const std::vector<AdapterHubPart>& parts, const BaseFacts& base);

struct AdapterHubKey {
  std::string key;  // "bert.encoder.layer.0.output.adapters.<name>.adapter_up.weight"
  Shape shape;
};
// Of a tensor of one of the parts.
AdapterHubKey adapterhub_key(const std::vector<AdapterHubPart>& parts, const BaseFacts& base,
                             const std::string& name, const Adapter::Entry& entry);

// The method that a configuration is of. `version` is the library's that wrote it: before 1.1.0 it
// computed LoRA without alpha. kInput naming the key for anything that is not implemented.
ConfiguredMethod method_from_adapterhub(const Json& config, const std::string& version,
                                        const BaseFacts& base, const std::string& where);

}  // namespace inlay
