#include "runs/tool_info.h"

#include "base/json.h"

#ifndef INLAY_VERSION
#define INLAY_VERSION "0.0.0"
#endif
#ifndef INLAY_COMMIT
#define INLAY_COMMIT "unknown"
#endif
#ifndef INLAY_DIRTY
#define INLAY_DIRTY 0
#endif
#ifndef INLAY_FLAGS
#define INLAY_FLAGS ""
#endif

namespace inlay {

const ToolInfo& tool_info() {
#if defined(__clang__)
  static const ToolInfo info{INLAY_VERSION, INLAY_COMMIT, INLAY_DIRTY != 0, __VERSION__,
                             INLAY_FLAGS};
#else
  static const ToolInfo info{INLAY_VERSION, INLAY_COMMIT, INLAY_DIRTY != 0, "GCC " __VERSION__,
                             INLAY_FLAGS};
#endif
  return info;
}

Json to_json(const ToolInfo& tool) {
  return {{"version", tool.version},
          {"commit", tool.commit},
          {"dirty", tool.dirty},
          {"compiler", tool.compiler},
          {"flags", tool.flags}};
}

}  // namespace inlay
