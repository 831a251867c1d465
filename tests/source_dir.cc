#include "base/source_dir.h"

namespace inlay {

std::filesystem::path source_dir() { return INLAY_SOURCE_DIR; }

}  // namespace inlay
