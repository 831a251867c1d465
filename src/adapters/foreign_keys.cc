#include "adapters/foreign_keys.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace inlay {
namespace {

bool says_nothing(const Json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

ForeignKey::Meaning foreign_meaning(const FormKey& key) {
  switch (key.meaning) {
    case FormKey::kNoMatter:
    case FormKey::kUnwritten:
      return ForeignKey::Meaning::kNoMatter;
    case FormKey::kFixed:
      return ForeignKey::Meaning::kFixed;
    case FormKey::kCustom:
      return ForeignKey::Meaning::kRead;
  }
  fail(ErrorKind::kInternal, "an unknown meaning of a key");
}

}  // namespace

std::vector<ForeignKey> foreign_keys(const std::vector<FormKey>& keys) {
  std::vector<ForeignKey> foreign;
  foreign.reserve(keys.size());
  for (const FormKey& key : keys) foreign.push_back({key.name, key.standard, foreign_meaning(key)});
  return foreign;
}

Json as_standard(const FormKey& key, const Json& value) {
  bool whole = key.standard.is_number_integer() && value.is_number_float();
  return whole ? plain_number(value.get<double>()) : value;
}

Json foreign_defaults(const std::vector<ForeignKey>& keys) {
  Json config = Json::object();
  for (const ForeignKey& key : keys) config[key.name] = key.value;
  return config;
}

void check_foreign_keys(const Json& config, const std::vector<ForeignKey>& keys,
                        const std::string& where) {
  for (const auto& [name, value] : config.items()) {
    auto key = std::find_if(keys.begin(), keys.end(),
                            [&name = name](const ForeignKey& known) { return name == known.name; });
    bool known = key != keys.end();
    if (known && (key->meaning != ForeignKey::Meaning::kFixed || value == key->value)) continue;
    require(!known && says_nothing(value), ErrorKind::kInput,
            "{}: \"{}\" is {}, which is not supported{}; expected {}", where, name,
            value.dump(-1, ' ', true).substr(0, 80), known ? "" : " (an unknown setting)",
            known ? key->value.dump() : "null");
  }
}

Json plain_number(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) return static_cast<int64_t>(value);
  return value;
}

}  // namespace inlay
