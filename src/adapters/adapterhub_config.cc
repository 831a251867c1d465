#include "adapters/adapterhub_config.h"

#include "adapters/adapterhub_reft.h"
#include "adapters/bottleneck_config.h"
#include "adapters/foreign_keys.h"
#include "base/error.h"

namespace inlay {
namespace {

const std::vector<ForeignKey>& bottleneck_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {
      {"adapter_residual_before_ln", false, kFixed},
      {"architecture", nullptr, kFixed},
      {"cross_adapter", false, kFixed},
      {"dropout", 0.0, kRead},
      {"dtype", nullptr, kNoMatter},
      {"factorized_phm_W", true, kFixed},
      {"factorized_phm_rule", false, kFixed},
      {"hypercomplex_nonlinearity", "glorot-uniform", kRead},
      {"init_weights", "bert", kRead},
      {"init_weights_seed", nullptr, kNoMatter},
      {"inv_adapter", nullptr, kRead},
      {"inv_adapter_reduction_factor", nullptr, kRead},
      {"is_parallel", false, kRead},
      {"learn_phm", true, kNoMatter},
      {"leave_out", Json::array(), kRead},
      {"ln_after", false, kFixed},
      {"ln_before", false, kFixed},
      {"mh_adapter", false, kRead},
      {"non_linearity", "relu", kRead},
      {"original_ln_after", true, kRead},
      {"original_ln_before", false, kRead},
      {"output_adapter", true, kRead},
      {"phm_bias", true, kFixed},
      {"phm_c_init", "normal", kNoMatter},
      {"phm_dim", 4, kRead},
      {"phm_init_range", 0.0001, kRead},
      {"phm_layer", false, kRead},
      {"phm_rank", 1, kRead},
      {"reduction_factor", 16, kRead},
      {"residual_before_ln", true, kRead},
      {"scaling", 1.0, kRead},
      {"shared_W_phm", false, kFixed},
      {"shared_phm_rule", true, kFixed},
      {"stochastic_depth", 0.0, kRead},
      {"use_gating", false, kRead},
  };
  return keys;
}

std::string scaling_text(const Json& config, const std::string& where) {
  Json value = config.value("scaling", Json(1.0));
  if (value.is_number()) return fmt::format("{}", value.get<double>());
  require(value == kLearnedScaling || value == kChannelScaling, ErrorKind::kInput,
          "{}: \"scaling\" is {}; expected a number, \"learned\" or \"channel\"", where,
          value.dump(-1, ' ', true));
  return value.get<std::string>();
}

std::vector<std::string> layer_names(const Json& config, const std::string& where) {
  std::vector<std::string> layers;
  for (const Json& layer : config.value("leave_out", Json::array())) {
    require(layer.is_number_integer(), ErrorKind::kInput,
            "{}: \"leave_out\" has {}; expected layer numbers", where, layer.dump(-1, ' ', true));
    layers.push_back(layer.dump());
  }
  return layers;
}

// true, false or "post_add".
std::string residual_text(const Json& config, const std::string& where) {
  Json value = config.value("residual_before_ln", Json(true));
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  require(value == "post_add", ErrorKind::kInput,
          "{}: \"residual_before_ln\" is {}; expected true, false or \"post_add\"", where,
          value.dump(-1, ' ', true));
  return "post_add";
}

// none or nice, and the size of its networks.
void read_invertible(const Json& config, const std::string& where, Json& fields) {
  Json value = config.value("inv_adapter", Json());
  if (value.is_null()) return;
  require(value == kNice, ErrorKind::kInput,
          "{}: \"inv_adapter\" is {}; of invertible adapters only \"nice\" is read", where,
          value.dump(-1, ' ', true));
  fields["inv_adapter"] = kNice;
  fields["inv_adapter_reduction_factor"] =
      json_get<double>(config, "inv_adapter_reduction_factor", where);
}

// The preset that the settings are nearest to; all of them are given besides.
std::string nearest_preset(const Json& fields) {
  bool attention = fields.at("mh_adapter").get<bool>();
  if (fields.at("phm_layer").get<bool>()) return attention ? "compacter" : "compacter_plus_plus";
  if (!fields.at("original_ln_after").get<bool>()) return "adapter_plus";
  if (fields.at("is_parallel").get<bool>())
    return fields.at("scaling") == kLearnedScaling ? "scaled_parallel" : "parallel";
  if (fields.contains("inv_adapter")) return attention ? "double_seq_bn_inv" : "seq_bn_inv";
  return attention ? "houlsby" : "pfeiffer";
}

Json bottleneck_to_adapterhub(const Json& fields) {
  Json config = foreign_defaults(bottleneck_keys());
  for (const char* key :
       {"non_linearity", "mh_adapter", "output_adapter", "is_parallel", "original_ln_before",
        "original_ln_after", "init_weights", "dropout", "stochastic_depth", "use_gating",
        "phm_layer", "phm_dim", "phm_rank", "phm_init_range", "hypercomplex_nonlinearity"}) {
    config[key] = fields.at(key);
  }
  config["reduction_factor"] = plain_number(fields.at("reduction_factor").get<double>());
  if (fields.at("inv_adapter") == kNice) {
    config["inv_adapter"] = kNice;
    config["inv_adapter_reduction_factor"] =
        plain_number(fields.at("inv_adapter_reduction_factor").get<double>());
  }
  auto scaling = fields.at("scaling").get<std::string>();
  bool learned = scaling == kLearnedScaling || scaling == kChannelScaling;
  config["scaling"] = learned ? Json(scaling) : Json(std::stod(scaling));
  auto residual = fields.at("residual_before_ln").get<std::string>();
  config["residual_before_ln"] = residual == "post_add" ? Json(residual) : Json(residual == "true");
  for (const Json& layer : fields.at("leave_out"))
    config["leave_out"].push_back(std::stoi(layer.get<std::string>()));
  return config;
}

Json bottleneck_from_adapterhub(const Json& config, const std::string& where) {
  check_foreign_keys(config, bottleneck_keys(), where);
  auto flag = [&](const char* key, bool fallback) {
    return json_get_or<bool>(config, key, fallback, where);
  };
  auto number = [&](const char* key, double fallback) {
    return json_get_or<double>(config, key, fallback, where);
  };
  Json fields{
      {"reduction_factor", json_get<double>(config, "reduction_factor", where)},
      {"non_linearity", json_get<std::string>(config, "non_linearity", where)},
      {"mh_adapter", json_get<bool>(config, "mh_adapter", where)},
      {"output_adapter", json_get<bool>(config, "output_adapter", where)},
      {"is_parallel", flag("is_parallel", false)},
      {"original_ln_before", flag("original_ln_before", false)},
      {"original_ln_after", flag("original_ln_after", true)},
      {"residual_before_ln", residual_text(config, where)},
      {"scaling", scaling_text(config, where)},
      {"use_gating", flag("use_gating", false)},
      {"init_weights", json_get_or<std::string>(config, "init_weights", "bert", where)},
      {"dropout", number("dropout", 0)},
      {"stochastic_depth", number("stochastic_depth", 0)},
      {"leave_out", layer_names(config, where)},
      {"phm_layer", flag("phm_layer", false)},
      {"phm_dim", json_get_or<int64_t>(config, "phm_dim", 4, where)},
      {"phm_rank", json_get_or<int64_t>(config, "phm_rank", 1, where)},
      {"phm_init_range", number("phm_init_range", 1e-4)},
      {"hypercomplex_nonlinearity",
       json_get_or<std::string>(config, "hypercomplex_nonlinearity", "glorot-uniform", where)}};
  read_invertible(config, where, fields);
  fields["preset"] = nearest_preset(fields);
  return fields;
}

std::string bottleneck_name(const Json& fields) {
  auto preset = fields.at("preset").get<std::string>();
  return preset.starts_with("compacter") ? preset : "bottleneck";
}

std::string reft_name(const Json& fields) {
  if (fields.at("orthogonality") == true) return "loreft";
  return fields.at("subtract_projection") == true ? "noreft" : "direft";
}

}  // namespace

Json fields_to_adapterhub(const std::string& method, const Json& fields) {
  return method.ends_with("reft") ? reft_to_adapterhub(fields) : bottleneck_to_adapterhub(fields);
}

AdapterHubMethod method_from_adapterhub(const Json& config, const std::string& where) {
  require(config.is_object(), ErrorKind::kInput, "{}: \"config\" is {}; expected an object", where,
          config.type_name());
  Json architecture = config.value("architecture", Json());
  if (architecture == "reft") {
    Json fields = reft_from_adapterhub(config, where);
    return {reft_name(fields), fields};
  }
  require(
      architecture.is_null(), ErrorKind::kInput,
      "{}: \"architecture\" is {}; of AdapterHub's adapters bottlenecks (null) and \"reft\" are "
      "read",
      where, architecture.dump(-1, ' ', true).substr(0, 80));
  Json fields = bottleneck_from_adapterhub(config, where);
  return {bottleneck_name(fields), fields};
}

}  // namespace inlay
