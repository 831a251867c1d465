// Figures that show pictures: objects that were found in them, pairs that were judged wrongly, and
// what the model read. Each takes the section of that name in runs/report.h, and shows twelve
// pictures or pairs at most.
#pragma once

#include "base/json_fwd.h"
#include "runs/report/html.h"

namespace inlay {

// The boxes are drawn over each picture: found, missed, or found where nothing is.
Html detections_figure(const Json& pictures);

// Two pictures side by side, whether they show the same, and how far apart they came out.
Html pairs_list(const Json& pairs);

Html samples_figure(const Json& samples);

}  // namespace inlay
