#include "adapters/adapterhub_bottleneck.h"

#include "adapters/bottleneck_config.h"
#include "base/error.h"

namespace inlay {
namespace {

const std::vector<FormKey>& bottleneck_keys() {
  static const std::vector<FormKey> keys = {
      {"adapter_residual_before_ln", false, FormKey::kFixed},
      {"cross_adapter", false, FormKey::kFixed},
      {"dropout", 0.0, "dropout"},
      {"dtype", nullptr, FormKey::kNoMatter},
      {"factorized_phm_W", true, FormKey::kFixed},
      {"factorized_phm_rule", false, FormKey::kFixed},
      {"hypercomplex_nonlinearity", "glorot-uniform", "hypercomplex_nonlinearity"},
      {"init_weights", "bert", "init_weights"},
      {"init_weights_seed", nullptr, FormKey::kNoMatter},
      {"inv_adapter", nullptr, FormKey::kCustom},
      {"inv_adapter_reduction_factor", nullptr, FormKey::kCustom},
      {"is_parallel", false, "is_parallel"},
      {"learn_phm", true, FormKey::kNoMatter},
      {"leave_out", Json::array(), FormKey::kCustom},
      {"ln_after", false, FormKey::kFixed},
      {"ln_before", false, FormKey::kFixed},
      {"mh_adapter", false, "mh_adapter"},
      {"non_linearity", "relu", "non_linearity"},
      {"original_ln_after", true, "original_ln_after"},
      {"original_ln_before", false, "original_ln_before"},
      {"output_adapter", true, "output_adapter"},
      {"phm_bias", true, FormKey::kFixed},
      {"phm_c_init", "normal", FormKey::kNoMatter},
      {"phm_dim", 4, "phm_dim"},
      {"phm_init_range", 0.0001, "phm_init_range"},
      {"phm_layer", false, "phm_layer"},
      {"phm_rank", 1, "phm_rank"},
      {"reduction_factor", 16, FormKey::kCustom},
      {"residual_before_ln", true, FormKey::kCustom},
      {"scaling", 1.0, FormKey::kCustom},
      {"shared_W_phm", false, FormKey::kFixed},
      {"shared_phm_rule", true, FormKey::kFixed},
      {"stochastic_depth", 0.0, "stochastic_depth"},
      {"use_gating", false, "use_gating"},
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

// true, false or "post_add".
std::string residual_text(const Json& config, const std::string& where) {
  Json value = config.value("residual_before_ln", Json(true));
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  require(value == "post_add", ErrorKind::kInput,
          "{}: \"residual_before_ln\" is {}; expected true, false or \"post_add\"", where,
          value.dump(-1, ' ', true));
  return "post_add";
}

// None or "nice", and the size of its networks.
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
  bool attention = fields.at("mh_adapter") == true;
  if (fields.at("phm_layer") == true) return attention ? "compacter" : "compacter_plus_plus";
  if (fields.at("original_ln_after") == false) return "adapter_plus";
  if (fields.at("is_parallel") == true)
    return fields.at("scaling") == kLearnedScaling ? "scaled_parallel" : "parallel";
  if (fields.contains("inv_adapter")) return attention ? "double_seq_bn_inv" : "seq_bn_inv";
  return attention ? "houlsby" : "pfeiffer";
}

void write_bottleneck(const Json& fields, const BaseFacts&, const std::vector<const Site*>&,
                      Json& config) {
  config["reduction_factor"] = plain_number(fields.at("reduction_factor").get<double>());
  auto scaling = fields.at("scaling").get<std::string>();
  bool learned = scaling == kLearnedScaling || scaling == kChannelScaling;
  config["scaling"] = learned ? Json(scaling) : Json(std::stod(scaling));
  auto residual = fields.at("residual_before_ln").get<std::string>();
  config["residual_before_ln"] = residual == "post_add" ? Json(residual) : Json(residual == "true");
  config["leave_out"] = layer_numbers(fields.at("leave_out"));
  if (fields.at("inv_adapter") != kNice) return;
  config["inv_adapter"] = kNice;
  config["inv_adapter_reduction_factor"] =
      plain_number(fields.at("inv_adapter_reduction_factor").get<double>());
}

void read_bottleneck(const Json& config, const BaseFacts&, const std::string& where, Json& fields) {
  // AdapterHub has no defaults for these.
  for (const char* key : {"non_linearity", "mh_adapter", "output_adapter"})
    require(config.contains(key), ErrorKind::kInput, "{}: \"{}\" is missing", where, key);
  fields["reduction_factor"] = json_get<double>(config, "reduction_factor", where);
  fields["residual_before_ln"] = residual_text(config, where);
  fields["scaling"] = scaling_text(config, where);
  fields["leave_out"] = layer_names(config, "leave_out", where);
  read_invertible(config, where, fields);
  fields["preset"] = nearest_preset(fields);
}

// A bottleneck after a whole layer is kept where one after the feed-forward part is.
const std::string& module_of(const BaseFacts& base, const Site& site) {
  if (site.role != SiteRole::kLayerOutput) return site.adapterhub;
  for (const Site* other : base.sites) {
    if (other->role == SiteRole::kFeedForwardBlock && other->layer == site.layer)
      return other->adapterhub;
  }
  return site.adapterhub;
}

// All layers share Compacter's left factors.
AdapterHubTensor bottleneck_tensor(const BaseFacts& base, const Site* site, const std::string& part,
                                   const Shape& shape) {
  return {site == nullptr ? "shared_parameters" : module_of(base, *site), part, shape};
}

bool has_phm(const Json& config) { return config.value("phm_layer", Json()) == true; }
bool is_bottleneck(const Json& config) { return !has_phm(config); }
bool is_compacter(const Json& config) {
  return has_phm(config) && config.value("mh_adapter", Json()) == true;
}
bool is_compacter_plus_plus(const Json& config) {
  return has_phm(config) && config.value("mh_adapter", Json()) != true;
}

AdapterHubForm bottleneck_form(bool (*is)(const Json& config)) {
  return {.architecture = nullptr,
          .keys = bottleneck_keys(),
          .is = is,
          .write = write_bottleneck,
          .read = read_bottleneck,
          .tensor = bottleneck_tensor};
}

}  // namespace

const AdapterHubForm& bottleneck_adapterhub_form() {
  static const AdapterHubForm form = bottleneck_form(is_bottleneck);
  return form;
}

const AdapterHubForm& compacter_adapterhub_form() {
  static const AdapterHubForm form = bottleneck_form(is_compacter);
  return form;
}

const AdapterHubForm& compacter_plus_plus_adapterhub_form() {
  static const AdapterHubForm form = bottleneck_form(is_compacter_plus_plus);
  return form;
}

}  // namespace inlay
