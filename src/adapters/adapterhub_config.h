// AdapterHub's BnConfig as it stands in adapter_config.json, and what our method "bottleneck" makes
// of it.
#pragma once

#include <string>

#include "base/json.h"

namespace inlay {

// Every key of BnConfig, from the fields of method "bottleneck".
Json bottleneck_to_adapterhub(const Json& fields);

// The fields of method "bottleneck". kInput naming the key for anything that is not implemented.
Json bottleneck_from_adapterhub(const Json& config, const std::string& where);

}  // namespace inlay
