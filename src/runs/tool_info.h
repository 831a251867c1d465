// Which Inlay this is: the build passes INLAY_VERSION, INLAY_COMMIT, INLAY_DIRTY and INLAY_FLAGS as
// definitions.
#pragma once

#include <string>

#include "base/json_fwd.h"

namespace inlay {

struct ToolInfo {
  std::string version;
  std::string commit;  // "unknown" in a build from an archive
  bool dirty = false;  // built from a tree with uncommitted changes
  std::string compiler;
  std::string flags;
};

const ToolInfo& tool_info();

Json to_json(const ToolInfo& tool);

}  // namespace inlay
