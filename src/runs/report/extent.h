// Figures on what the run did: what was trained, methods compared, folds. Each takes the section of
// that name in runs/report.h.
#pragma once

#include "base/json_fwd.h"
#include "runs/report/html.h"

namespace inlay {

// Sites by layers, a tile per place; the fuller the tile, the more parameters were trained there.
Html trained_figure(const Json& trained);

// A row per method with its interval drawn on one common axis.
Html comparison_table(const Json& comparison);

Html folds_table(const Json& folds);

}  // namespace inlay
