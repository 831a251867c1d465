#include "adapters/exchange/lora_keys.h"

#include "adapters/adapter_record.h"

namespace inlay::exchange {

const std::vector<ForeignKey>& peft_lora_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {{"alora_invocation_tokens", nullptr, kFixed},
                                               {"alpha_pattern", Json::object(), kRead},
                                               {"arrow_config", nullptr, kFixed},
                                               {"auto_mapping", nullptr, kNoMatter},
                                               {"base_model_name_or_path", nullptr, kRead},
                                               {"bias", "none", kFixed},
                                               {"corda_config", nullptr, kNoMatter},
                                               {"ensure_weight_tying", false, kFixed},
                                               {"eva_config", nullptr, kNoMatter},
                                               {"exclude_modules", nullptr, kNoMatter},
                                               {"fan_in_fan_out", false, kNoMatter},
                                               {"inference_mode", true, kNoMatter},
                                               {"init_lora_weights", true, kRead},
                                               {kRecordKey, nullptr, kRead},
                                               {"kasa_config", nullptr, kFixed},
                                               {"layer_replication", nullptr, kFixed},
                                               {"layers_pattern", nullptr, kNoMatter},
                                               {"layers_to_transform", nullptr, kRead},
                                               {"loftq_config", Json::object(), kNoMatter},
                                               {"lora_alpha", 8, kRead},
                                               {"lora_bias", false, kRead},
                                               {"lora_dropout", 0.0, kRead},
                                               {"lora_ga_config", nullptr, kNoMatter},
                                               {"megatron_config", nullptr, kFixed},
                                               {"megatron_core", "megatron.core", kNoMatter},
                                               {"modules_to_save", nullptr, kRead},
                                               {"monteclora_config", nullptr, kFixed},
                                               {"peft_type", "LORA", kFixed},
                                               {"peft_version", nullptr, kNoMatter},
                                               {"qalora_group_size", 16, kNoMatter},
                                               {"r", 8, kRead},
                                               {"rank_pattern", Json::object(), kRead},
                                               {"revision", nullptr, kNoMatter},
                                               {"target_modules", nullptr, kRead},
                                               {"target_parameters", nullptr, kFixed},
                                               {"task_type", nullptr, kRead},
                                               {"trainable_token_indices", nullptr, kFixed},
                                               {"use_bdlora", nullptr, kFixed},
                                               {"use_dora", false, kRead},
                                               {"use_qalora", false, kFixed},
                                               {"use_rslora", false, kRead},
                                               {"velora_config", nullptr, kFixed}};
  return keys;
}

const std::vector<ForeignKey>& adapterhub_lora_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {{"alpha", 8, kRead},
                                               {"architecture", "lora", kFixed},
                                               {"attn_matrices", Json::array({"q", "v"}), kRead},
                                               {"composition_mode", "add", kFixed},
                                               {"dropout", 0.0, kRead},
                                               {"dtype", nullptr, kNoMatter},
                                               {"init_weights", "lora", kNoMatter},
                                               {"init_weights_seed", nullptr, kNoMatter},
                                               {"intermediate_lora", false, kRead},
                                               {"leave_out", Json::array(), kRead},
                                               {"output_lora", false, kRead},
                                               {"r", 8, kRead},
                                               {"selfattn_lora", true, kRead},
                                               {"use_dora", false, kRead},
                                               {"use_gating", false, kFixed},
                                               {"vera_b", nullptr, kFixed},
                                               {"vera_d", nullptr, kFixed}};
  return keys;
}

}  // namespace inlay::exchange
