#include "data/input.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

std::string read_standard_input(std::size_t max_bytes) {
  std::string bytes;
  char chunk[1 << 16];
  while (true) {
    ssize_t got = ::read(STDIN_FILENO, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    require(got >= 0, ErrorKind::kIo, "standard input: cannot read: {}", std::strerror(errno));
    if (got == 0) return bytes;
    bytes.append(chunk, static_cast<std::size_t>(got));
    require(bytes.size() <= max_bytes, ErrorKind::kInput,
            "standard input: more than the limit of {} bytes", max_bytes);
  }
}

}  // namespace

std::string read_input(const std::string& path, std::size_t max_bytes) {
  return path == "-" ? read_standard_input(max_bytes) : read_file(path, max_bytes);
}

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

}  // namespace inlay
