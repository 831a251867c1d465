#include "adapters/adalora_peft.h"

#include <algorithm>

#include "adapters/lora_peft.h"
#include "adapters/targets.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr const char* kValues = ".lora_E";

// Which triplets are left, as PEFT marks them; those that are come first, for the rest is dropped.
void write_ranks(const Json& fields, const SiteSet& adapted, Json& config) {
  auto most = fields.at("init_r").get<int64_t>();
  auto ranks = fields.at("ranks").get<std::map<std::string, double>>();
  config["rank_pattern"] = Json::object();
  // PEFT refuses a configuration whose steps leave no time to prune.
  config["total_step"] = fields.at("tinit").get<int64_t>() + fields.at("tfinal").get<int64_t>() + 1;
  if (ranks.empty()) return;
  for (const Site* site : adapted) {
    auto rank = static_cast<int64_t>(pattern_value(ranks, site->name, static_cast<double>(most)));
    Json kept = Json::array();
    for (int64_t i = 0; i < most; ++i) kept.push_back(i < rank);
    config["rank_pattern"][site->name + kValues] = std::move(kept);
  }
}

void read_ranks(const Json& config, const SiteSet& adapted, const std::string& where,
                Json& fields) {
  fields["ranks"] = Json::object();
  Json pattern = config.value("rank_pattern", Json());
  if (pattern.is_null()) return;
  require(pattern.is_object(), ErrorKind::kInput,
          "{}: \"rank_pattern\" is {}; expected an object of lists", where, pattern.type_name());
  for (const auto& [key, kept] : pattern.items()) {
    bool list = kept.is_array() &&
                std::all_of(kept.begin(), kept.end(), [](const Json& x) { return x.is_boolean(); });
    require(list, ErrorKind::kInput, "{}: \"rank_pattern\" of {} is no list of true and false",
            where, key);
    auto site = std::find_if(adapted.begin(), adapted.end(), [&name = key](const Site* one) {
      std::string whole = one->name + kValues;
      return name == whole || name.ends_with("." + whole);
    });
    require(site != adapted.end(), ErrorKind::kInput,
            "{}: \"rank_pattern\" names {}, which is none of the adapted modules' lora_E", where,
            key);
    fields["ranks"][(*site)->name] =
        static_cast<double>(std::count(kept.begin(), kept.end(), Json(true)));
  }
}

// LoRA's keys, as far as they mean the same.
std::vector<PeftKey> keys() {
  std::vector<PeftKey> keys = {{"beta1", 0.85, "beta1"},
                               {"beta2", 0.85, "beta2"},
                               {"deltaT", 1, "deltaT"},
                               {"init_r", 12, "init_r"},
                               {"orth_reg_weight", 0.5, "orth_reg_weight"},
                               {"target_r", 8, "target_r"},
                               {"tfinal", 0, "tfinal"},
                               {"tinit", 0, "tinit"},
                               {"total_step", nullptr, PeftKey::kNoMatter}};
  for (PeftKey key : lora_peft_form().keys) {
    std::string_view name = key.name;
    bool shared = name == "lora_alpha" || name == "lora_dropout";
    if (name == "r" || name == "init_lora_weights") {
      key = PeftKey(key.name, key.standard, PeftKey::kNoMatter);
    } else if (name == "rank_pattern") {
      key = PeftKey(key.name, key.standard, PeftKey::kCustom);
    } else if (!shared && key.meaning == PeftKey::kCustom) {
      key = PeftKey(key.name, key.standard, PeftKey::kFixed);
    }
    keys.push_back(key);
  }
  return keys;
}

}  // namespace

const PeftForm& adalora_peft_form() {
  static const PeftForm form{.type = "ADALORA",
                             .keys = keys(),
                             .write = write_ranks,
                             .read = read_ranks,
                             .by_module = "rank_pattern"};
  return form;
}

}  // namespace inlay
