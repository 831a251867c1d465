// For the tests of the metrics: the values that scikit-learn and SciPy give
// (tests/golden/metrics/make_goldens.py).
#pragma once

#include <string>

#include "base/json.h"

namespace inlay {

inline const Json& expected_metrics() {
  static const Json values =
      read_json(std::string(INLAY_SOURCE_DIR) + "/tests/golden/metrics/expected.json");
  return values;
}

}  // namespace inlay
