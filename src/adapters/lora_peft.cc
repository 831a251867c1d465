#include "adapters/lora_peft.h"

#include "base/error.h"

namespace inlay {
namespace {

void write_start(const Json& fields, const SiteSet&, Json& config) {
  const Json& start = fields.at("init_lora_weights");
  config["init_lora_weights"] = start == "gaussian" ? Json("gaussian") : Json(true);
}

// How A started does not matter to trained values, unless the start also changed the base.
void read_start(const Json& config, const SiteSet&, const std::string& where, Json& fields) {
  Json start = config.value("init_lora_weights", Json(true));
  std::string name = start.is_string() ? start.get<std::string>() : "";
  bool base_unchanged =
      start.is_boolean() || name == "eva" || name == "orthogonal" || name == "gaussian";
  require(base_unchanged, ErrorKind::kInput,
          "{}: \"init_lora_weights\" is {}, which changes the base; convert the adapter to plain "
          "LoRA in PEFT "
          "(path_initial_model_for_weight_conversion)",
          where, start.dump(-1, ' ', true));
  fields["init_lora_weights"] = name == "gaussian" ? "gaussian" : "kaiming";
}

}  // namespace

const PeftForm& lora_peft_form() {
  static const PeftForm form{.type = "LORA",
                             .keys = {{"alora_invocation_tokens", nullptr, PeftKey::kFixed},
                                      {"alpha_pattern", Json::object(), "alpha_pattern"},
                                      {"arrow_config", nullptr, PeftKey::kFixed},
                                      {"bias", "none", PeftKey::kFixed},
                                      {"corda_config", nullptr, PeftKey::kNoMatter},
                                      {"ensure_weight_tying", false, PeftKey::kFixed},
                                      {"eva_config", nullptr, PeftKey::kNoMatter},
                                      {"fan_in_fan_out", false, PeftKey::kFixed},
                                      {"init_lora_weights", true, PeftKey::kCustom},
                                      {"kasa_config", nullptr, PeftKey::kFixed},
                                      {"layer_replication", nullptr, PeftKey::kFixed},
                                      {"loftq_config", Json::object(), PeftKey::kNoMatter},
                                      {"lora_alpha", 8, "alpha"},
                                      {"lora_bias", false, "lora_bias"},
                                      {"lora_dropout", 0.0, "dropout"},
                                      {"lora_ga_config", nullptr, PeftKey::kNoMatter},
                                      {"megatron_config", nullptr, PeftKey::kFixed},
                                      {"megatron_core", "megatron.core", PeftKey::kNoMatter},
                                      {"monteclora_config", nullptr, PeftKey::kFixed},
                                      {"qalora_group_size", 16, PeftKey::kNoMatter},
                                      {"r", 8, "r"},
                                      {"rank_pattern", Json::object(), "rank_pattern"},
                                      {"target_parameters", nullptr, PeftKey::kFixed},
                                      {"trainable_token_indices", nullptr, PeftKey::kFixed},
                                      {"use_bdlora", nullptr, PeftKey::kFixed},
                                      {"use_dora", false, "use_dora"},
                                      {"use_qalora", false, PeftKey::kFixed},
                                      {"use_rslora", false, "use_rslora"},
                                      {"velora_config", nullptr, PeftKey::kFixed}},
                             .kinds = {SiteKind::kLinear, SiteKind::kConv},
                             .write = write_start,
                             .read = read_start};
  return form;
}

}  // namespace inlay
