// For the tests of the metrics: the values that scikit-learn and SciPy give
// (tests/golden/metrics/make_goldens.py).
#pragma once

#include <string>

#include "base/json.h"
#include "base/source_dir.h"

namespace inlay {

inline const Json& expected_metrics() {
  static const Json values = read_json(source_dir() / "tests/golden/metrics/expected.json");
  return values;
}

}  // namespace inlay
