// The top of the page: title, the test metrics as one sentence, and the most important figures as
// tiles.
#pragma once

#include "base/json_fwd.h"
#include "runs/report/html.h"

namespace inlay {

// `report` is the whole document of runs/report.h.
Html heading(const Json& report);

}  // namespace inlay
