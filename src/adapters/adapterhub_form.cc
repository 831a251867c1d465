#include "adapters/adapterhub_form.h"

#include "base/error.h"

namespace inlay {
namespace {

std::vector<FormKey> keys_of(const AdapterHubForm& form) {
  std::vector<FormKey> keys = form.keys;
  keys.push_back({"architecture", form.architecture == nullptr ? Json() : Json(form.architecture),
                  FormKey::kFixed});
  return keys;
}

}  // namespace

Json fields_to_adapterhub(const AdapterHubForm& form, const Json& fields, const BaseFacts& base,
                          const std::vector<const Site*>& sites) {
  Json config = Json::object();
  for (const FormKey& key : keys_of(form)) {
    if (key.meaning == FormKey::kUnwritten) continue;
    config[key.name] = key.field == nullptr ? key.standard : as_standard(key, fields.at(key.field));
  }
  if (form.write != nullptr) form.write(fields, base, sites, config);
  return config;
}

Json fields_from_adapterhub(const AdapterHubForm& form, const Json& config, const BaseFacts& base,
                            const std::string& where) {
  check_foreign_keys(config, foreign_keys(keys_of(form)), where);
  Json fields = Json::object();
  for (const FormKey& key : form.keys) {
    if (key.field != nullptr) fields[key.field] = config.value(key.name, key.standard);
  }
  if (form.read != nullptr) form.read(config, base, where, fields);
  return fields;
}

Json layer_numbers(const Json& names) {
  Json numbers = Json::array();
  for (const Json& name : names) numbers.push_back(std::stoi(name.get<std::string>()));
  return numbers;
}

std::vector<std::string> layer_names(const Json& config, const char* key,
                                     const std::string& where) {
  Json list = config.value(key, Json::array());
  std::vector<std::string> layers;
  layers.reserve(list.size());
  for (const Json& layer : list) {
    require(layer.is_number_integer(), ErrorKind::kInput,
            "{}: \"{}\" has {}; expected layer numbers", where, key,
            layer.dump(-1, ' ', true).substr(0, 80));
    layers.push_back(layer.dump());
  }
  return layers;
}

}  // namespace inlay
