// The report's style sheet: light, dark, narrow and paper.
#pragma once

namespace inlay {

extern const char* const kReportStyle;

}  // namespace inlay
