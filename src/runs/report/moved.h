// A figure on how far training moved the base's weights; takes the section "moved" of
// runs/report.h.
#pragma once

#include "base/json_fwd.h"
#include "runs/report/html.h"

namespace inlay {

// Places by layers, each cell with |dW| / |W| in percent; the deeper its colour, the further.
Html moved_figure(const Json& moved);

}  // namespace inlay
