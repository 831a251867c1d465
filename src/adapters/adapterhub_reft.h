// AdapterHub's ReftConfig and what our methods loreft, noreft and direft make of it.
#pragma once

#include <string>

#include "base/json.h"

namespace inlay {

Json reft_to_adapterhub(const Json& fields);
// kInput naming the key for anything that is not implemented.
Json reft_from_adapterhub(const Json& config, const std::string& where);

}  // namespace inlay
