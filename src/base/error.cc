#include "base/error.h"

namespace inlay {

int exit_code(ErrorKind kind) {
  return kind == ErrorKind::kUsage || kind == ErrorKind::kInput ? 2 : 1;
}

void throw_error(ErrorKind kind, const std::string& message) { throw Error(kind, message); }

}  // namespace inlay
