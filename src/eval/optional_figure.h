// Figures that may be undefined, as tasks give them.
#pragma once

#include <optional>

#include "base/json.h"

namespace inlay {

inline Json figure_or_null(const std::optional<double>& figure) {
  return figure.has_value() ? Json(*figure) : Json();
}

}  // namespace inlay
