#include "adapters/foreign_keys.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace inlay {
namespace {

bool says_nothing(const Json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

}  // namespace

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
