// How PEFT keeps a method: its name there, the keys of its configuration beside those that all
// methods share, and the names of its tensors. Reader and writer (peft_format.h) go by this table;
// a method that PEFT has gives one with its MethodInfo.
//
//   static const PeftForm form{.type = "LOHA",
//                              .keys = {{"r", 8, "r"},
//                                       {"alpha", 8, "alpha"},
//                                       {"module_dropout", 0.0, PeftKey::kFixed}}};
#pragma once

#include <string>
#include <vector>

#include "adapters/foreign_keys.h"
#include "adapters/peft_targets.h"
#include "base/json.h"

namespace inlay {

using PeftKey = FormKey;

struct PeftForm {
  const char* type;  // "LORA"
  std::vector<PeftKey> keys;
  // What the sites are that target_modules names; without targets PEFT's configuration has no such
  // keys, and the method selects its sites by itself.
  bool has_targets = true;
  // Whether it also has exclude_modules and layers_to_transform.
  bool narrows_targets = true;
  std::vector<SiteKind> kinds = {SiteKind::kLinear};
  // Keys whose values do not carry over as they are, in both directions; null where there are none.
  // `config` has every key at its default, `fields` what the table gave.
  void (*write)(const Json& fields, const SiteSet& adapted, Json& config) = nullptr;
  void (*read)(const Json& config, const SiteSet& adapted, const std::string& where,
               Json& fields) = nullptr;
  // A key that holds values by the names of modules or their tensors, which `write` leaves without
  // the model's prefix; null: none.
  const char* by_module = nullptr;
  // The name of a tensor that is shared by all sites; null: "base_model." and its own name.
  std::string (*shared_key)(const std::string& name) = nullptr;
  // What the head's names begin with: methods without targets leave the model unwrapped.
  const char* head_prefix = "base_model.model.";
};

// The configuration of a method with these fields: every key, the targets among them; the caller
// adds what concerns base, task and head.
Json fields_to_peft(const PeftForm& form, const Json& fields, const PeftModel& model,
                    const SiteSet& adapted);

// Refuses by name every key whose value would change the mathematics in a way that is not
// implemented.
void check_peft_config(const PeftForm& form, const Json& config, const std::string& where);

// The lists of adapter_config.json, their types checked. REQUIRES: the form has targets.
PeftTargets peft_targets(const Json& config, const std::string& where);

// The fields of ours that the configuration gives. REQUIRES: check_peft_config().
Json fields_from_peft(const PeftForm& form, const Json& config, const PeftModel& model,
                      const SiteSet& adapted, const std::string& where);

}  // namespace inlay
