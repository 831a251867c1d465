// The name Json without the weight of the whole library.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace inlay {
using Json = nlohmann::json;
}
