#include "adapters/adapterhub_reft.h"

#include <vector>

#include "adapters/foreign_keys.h"
#include "base/error.h"

namespace inlay {
namespace {

const std::vector<ForeignKey>& reft_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {
      {"architecture", "reft", kFixed},
      {"dropout", 0.05, kRead},
      {"dtype", nullptr, kNoMatter},
      {"init_weights_seed", nullptr, kNoMatter},
      {"layers", "all", kRead},
      {"non_linearity", nullptr, kRead},
      {"orthogonality", true, kRead},
      {"output_reft", true, kFixed},
      {"prefix_positions", 3, kRead},
      {"r", 1, kRead},
      {"subtract_projection", true, kRead},
      {"suffix_positions", 0, kRead},
      {"tied_weights", false, kRead},
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

}  // namespace

Json reft_to_adapterhub(const Json& fields) {
  Json config = foreign_defaults(reft_keys());
  for (const char* key : {"dropout", "non_linearity", "orthogonality", "prefix_positions", "r",
                          "subtract_projection", "suffix_positions", "tied_weights"}) {
    config[key] = fields.at(key);
  }
  if (fields.at("layers").empty()) return config;
  config["layers"] = Json::array();
  for (const Json& layer : fields.at("layers"))
    config["layers"].push_back(std::stoi(layer.get<std::string>()));
  return config;
}

Json reft_from_adapterhub(const Json& config, const std::string& where) {
  check_foreign_keys(config, reft_keys(), where);
  Json fields{{"layers", layers_from(config, where)}};
  for (const ForeignKey& key : reft_keys()) {
    bool ours = key.meaning == ForeignKey::Meaning::kRead && std::string(key.name) != "layers";
    if (ours) fields[key.name] = config.value(key.name, key.value);
  }
  return fields;
}

}  // namespace inlay
