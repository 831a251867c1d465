#include "adapters/adapterhub_reft.h"

#include "base/error.h"

namespace inlay {
namespace {

const std::vector<FormKey>& reft_keys() {
  static const std::vector<FormKey> keys = {
      {"dropout", 0.05, "dropout"},
      {"dtype", nullptr, FormKey::kNoMatter},
      {"init_weights_seed", nullptr, FormKey::kNoMatter},
      {"layers", "all", FormKey::kCustom},
      {"non_linearity", nullptr, "non_linearity"},
      {"orthogonality", true, "orthogonality"},
      {"output_reft", true, FormKey::kFixed},
      {"prefix_positions", 3, "prefix_positions"},
      {"r", 1, "r"},
      {"subtract_projection", true, "subtract_projection"},
      {"suffix_positions", 0, "suffix_positions"},
      {"tied_weights", false, "tied_weights"},
  };
  return keys;
}

// "all", or numbers of layers.
Json layers_from(const Json& config, const std::string& where) {
  Json value = config.value("layers", Json("all"));
  Json names = Json::array();
  if (value == "all") return names;
  bool list = value.is_array() && !value.empty();
  for (const Json& layer : list ? value : Json::array()) {
    list = list && layer.is_number_integer();
    names.push_back(layer.dump());
  }
  require(list, ErrorKind::kInput, "{}: \"layers\" is {}; expected \"all\" or numbers of layers",
          where, value.dump(-1, ' ', true).substr(0, 80));
  return names;
}

void write_reft(const Json& fields, const BaseFacts&, const std::vector<const Site*>&,
                Json& config) {
  if (!fields.at("layers").empty()) config["layers"] = layer_numbers(fields.at("layers"));
}

void read_reft(const Json& config, const BaseFacts&, const std::string& where, Json& fields) {
  fields["layers"] = layers_from(config, where);
}

AdapterHubTensor reft_tensor(const BaseFacts&, const Site* site, const std::string& part,
                             const Shape& shape) {
  return {site->adapterhub, part, shape};
}

bool is_on(const Json& config, const char* key) { return config.value(key, Json(true)) == true; }
bool is_loreft(const Json& config) { return is_on(config, "orthogonality"); }
bool is_noreft(const Json& config) {
  return !is_loreft(config) && is_on(config, "subtract_projection");
}
bool is_direft(const Json& config) {
  return !is_loreft(config) && !is_on(config, "subtract_projection");
}

AdapterHubForm reft_form(bool (*is)(const Json& config)) {
  return {.architecture = "reft",
          .keys = reft_keys(),
          .is = is,
          .write = write_reft,
          .read = read_reft,
          .tensor = reft_tensor};
}

}  // namespace

const AdapterHubForm& loreft_adapterhub_form() {
  static const AdapterHubForm form = reft_form(is_loreft);
  return form;
}

const AdapterHubForm& noreft_adapterhub_form() {
  static const AdapterHubForm form = reft_form(is_noreft);
  return form;
}

const AdapterHubForm& direft_adapterhub_form() {
  static const AdapterHubForm form = reft_form(is_direft);
  return form;
}

}  // namespace inlay
