// AdapterHub's configurations as they stand in adapter_config.json, and which method of ours, with
// which fields, each is.
#pragma once

#include <string>

#include "base/json.h"

namespace inlay {

// Every key of the library's configuration, from a method's fields. REQUIRES: its format is
// kAdapterHub.
Json fields_to_adapterhub(const std::string& method, const Json& fields);

struct AdapterHubMethod {
  std::string name;
  Json fields;
};
// kInput naming the key for anything that is not implemented.
AdapterHubMethod method_from_adapterhub(const Json& config, const std::string& where);

}  // namespace inlay
