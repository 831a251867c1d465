// Versions of the library "adapters" as its files name them: "adapters.1.2.0".
#pragma once

#include <string>

namespace inlay::exchange {

// Whether "adapters.1.0.1" is older than 1.1.0, whose first versions for developers count as older.
// Those trained and applied LoRA without alpha (pull request 770). REQUIRES: it begins "adapters.".
bool before_1_1_0(const std::string& version);

}  // namespace inlay::exchange
