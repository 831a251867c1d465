// What inspect shows of an adapter: its record and tensors, what it did to each site, and how alike
// it is to another.
#pragma once

#include <string>

#include "base/json.h"
#include "models/model.h"

namespace inlay::cli {

// Loads the adapter, and `other` ("" for none), onto the model. kInput and kUsage as
// load_adapter().
Json adapter_view(const std::string& folder, const std::string& other, const Model& model);

void print_adapter_view(const Json& view);

}  // namespace inlay::cli
