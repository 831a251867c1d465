// The learning curves: the loss of every step with a smoothed line over it, and the validation
// metric of every epoch with the best one marked.
#pragma once

#include <cstddef>
#include <vector>

#include "base/json_fwd.h"
#include "runs/report/html.h"
#include "runs/report/plot.h"

namespace inlay {

// An exponential average to both sides, which neither lags nor starts with a bias:
// s_t = Σ β^|t-i| y_i / Σ β^|t-i|. Values that are not finite stay as they are and do not count.
std::vector<Point> smoothed(const std::vector<Point>& points, double beta);

// At most about `limit` points: of each run of neighbours only the lowest and the highest, in
// order, so that no spike is lost.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t limit);

// `curves` is the section of that name in runs/report.h.
Html curves_figures(const Json& curves);

}  // namespace inlay
