// How AdapterHub keeps a method: the architecture of its configuration with all keys, and the names
// of its tensors. Reader and writer (adapterhub_format.h) go by this table; a method that
// AdapterHub has gives one with its MethodInfo.
//
//   static const AdapterHubForm form{.architecture = "prompt_tuning",
//                                    .keys = {{"prompt_length", 10, "num_virtual_tokens"},
//                                             {"prompt_init", "random_uniform",
//                                             FormKey::kNoMatter}},
//                                    .tensor = prompt_tensor};
#pragma once

#include <string>
#include <vector>

#include "adapters/foreign_keys.h"
#include "nn/base_facts.h"
#include "tensor/shape.h"

namespace inlay {

// Where a tensor stands: "<model's prefix><module>.<adapter's name>.<part>".
struct AdapterHubTensor {
  std::string module;  // "encoder.layer.0.attention.self.query.loras"
  std::string part;    // "lora_A"
  Shape shape;         // in the file; as many values as ours
};

struct AdapterHubForm {
  const char* architecture;   // "lora"; null: a bottleneck
  std::vector<FormKey> keys;  // beside the architecture
  // Which configurations of the architecture are this method's; null: all.
  bool (*is)(const Json& config) = nullptr;
  // Keys whose values do not carry over as they are. `config` has every key at its default, or as
  // the table gave it; what AdapterHub has no place for is refused (kInput) by name.
  void (*write)(const Json& fields, const BaseFacts& base, const std::vector<const Site*>& sites,
                Json& config) = nullptr;
  void (*read)(const Json& config, const BaseFacts& base, const std::string& where,
               Json& fields) = nullptr;
  // Of a tensor of ours; `site` is null for one that all sites share.
  AdapterHubTensor (*tensor)(const BaseFacts& base, const Site* site, const std::string& part,
                             const Shape& shape) = nullptr;
};

// The object "config" of a method with these fields.
Json fields_to_adapterhub(const AdapterHubForm& form, const Json& fields, const BaseFacts& base,
                          const std::vector<const Site*>& sites);

// The fields of ours that a configuration gives. kInput naming the first key whose value would
// change the mathematics in a way that is not implemented.
Json fields_from_adapterhub(const AdapterHubForm& form, const Json& config, const BaseFacts& base,
                            const std::string& where);

// AdapterHub's lists of layers are numbers, ours are text.
Json layer_numbers(const Json& names);
// kInput where the list under `key` has anything but layer numbers; absent: none.
std::vector<std::string> layer_names(const Json& config, const char* key, const std::string& where);

}  // namespace inlay
