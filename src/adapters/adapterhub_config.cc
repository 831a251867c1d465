#include "adapters/adapterhub_config.h"

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
      {"factorized_phm_W", true, kNoMatter},
      {"factorized_phm_rule", false, kNoMatter},
      {"hypercomplex_nonlinearity", "glorot-uniform", kNoMatter},
      {"init_weights", "bert", kRead},
      {"init_weights_seed", nullptr, kNoMatter},
      {"inv_adapter", nullptr, kFixed},
      {"inv_adapter_reduction_factor", nullptr, kNoMatter},
      {"is_parallel", false, kRead},
      {"learn_phm", true, kNoMatter},
      {"leave_out", Json::array(), kRead},
      {"ln_after", false, kFixed},
      {"ln_before", false, kFixed},
      {"mh_adapter", false, kRead},
      {"non_linearity", "relu", kRead},
      {"original_ln_after", true, kFixed},
      {"original_ln_before", false, kRead},
      {"output_adapter", true, kRead},
      {"phm_bias", true, kNoMatter},
      {"phm_c_init", "normal", kNoMatter},
      {"phm_dim", 4, kNoMatter},
      {"phm_init_range", 0.0001, kNoMatter},
      {"phm_layer", false, kFixed},
      {"phm_rank", 1, kNoMatter},
      {"reduction_factor", 16, kRead},
      {"residual_before_ln", true, kFixed},
      {"scaling", 1.0, kRead},
      {"shared_W_phm", false, kNoMatter},
      {"shared_phm_rule", true, kNoMatter},
      {"stochastic_depth", 0.0, kFixed},
      {"use_gating", false, kFixed},
  };
  return keys;
}

std::string scaling_text(const Json& config, const std::string& where) {
  Json value = config.value("scaling", Json(1.0));
  if (value.is_number()) return fmt::format("{}", value.get<double>());
  require(value == "learned", ErrorKind::kInput,
          "{}: \"scaling\" is {}; only a number and \"learned\" are supported", where,
          value.dump(-1, ' ', true));
  return "learned";
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

// The preset that the settings are nearest to; all of them are given besides.
const char* nearest_preset(bool parallel, bool attention, const std::string& scaling) {
  if (parallel) return scaling == "learned" ? "scaled_parallel" : "parallel";
  return attention ? "houlsby" : "pfeiffer";
}

}  // namespace

Json bottleneck_to_adapterhub(const Json& fields) {
  Json config = foreign_defaults(bottleneck_keys());
  for (const char* key : {"non_linearity", "mh_adapter", "output_adapter", "is_parallel",
                          "original_ln_before", "init_weights", "dropout"}) {
    config[key] = fields.at(key);
  }
  config["reduction_factor"] = plain_number(fields.at("reduction_factor").get<double>());
  auto scaling = fields.at("scaling").get<std::string>();
  config["scaling"] = scaling == "learned" ? Json(scaling) : Json(std::stod(scaling));
  for (const Json& layer : fields.at("leave_out"))
    config["leave_out"].push_back(std::stoi(layer.get<std::string>()));
  return config;
}

Json bottleneck_from_adapterhub(const Json& config, const std::string& where) {
  require(config.is_object(), ErrorKind::kInput, "{}: \"config\" is {}; expected an object", where,
          config.type_name());
  Json architecture = config.value("architecture", Json());
  require(architecture.is_null(), ErrorKind::kInput,
          "{}: \"architecture\" is {}; of AdapterHub's adapters only bottlenecks (null) are read",
          where, architecture.dump(-1, ' ', true).substr(0, 80));
  check_foreign_keys(config, bottleneck_keys(), where);
  auto parallel = json_get_or<bool>(config, "is_parallel", false, where);
  auto attention = json_get<bool>(config, "mh_adapter", where);
  std::string scaling = scaling_text(config, where);
  return {{"preset", nearest_preset(parallel, attention, scaling)},
          {"reduction_factor", json_get<double>(config, "reduction_factor", where)},
          {"non_linearity", json_get<std::string>(config, "non_linearity", where)},
          {"mh_adapter", attention},
          {"output_adapter", json_get<bool>(config, "output_adapter", where)},
          {"is_parallel", parallel},
          {"original_ln_before", json_get_or<bool>(config, "original_ln_before", false, where)},
          {"scaling", scaling},
          {"init_weights", json_get_or<std::string>(config, "init_weights", "bert", where)},
          {"dropout", json_get_or<double>(config, "dropout", 0, where)},
          {"leave_out", layer_names(config, where)}};
}

}  // namespace inlay
