// Figures on how good the predictions are: confusion matrix, classes, mistakes, calibration,
// scatter. Each takes the section of that name in runs/report.h.
#pragma once

#include "base/json_fwd.h"
#include "runs/report/html.h"

namespace inlay {

// A heat map with counts and shares of each row; with many classes the pairs that are confused most
// often.
Html confusion_figure(const Json& json);

Html classes_table(const Json& classes);

// Expects the most confident mistakes first and shows 20.
Html mistakes_list(const Json& mistakes);

Html calibration_figure(const Json& calibration);

Html scatter_figure(const Json& scatter);

}  // namespace inlay
