#include "adapters/exchange/adapterhub_version.h"

#include <charconv>
#include <cstdint>

namespace inlay::exchange {

bool before_1_1_0(const std::string& version) {
  int64_t parts[3] = {0, 0, 0};
  const char *at = version.data() + std::string("adapters.").size(),
             *end = version.data() + version.size();
  for (int64_t& part : parts) {
    std::from_chars_result read = std::from_chars(at, end, part);
    at = read.ptr;
    if (read.ec != std::errc() || at == end || *at != '.') break;
    ++at;
  }
  bool early = at != end;  // ".dev0", "a1", "rc1"
  if (parts[0] != 1) return parts[0] < 1;
  return parts[1] < 1 || (parts[1] == 1 && parts[2] == 0 && early);
}

}  // namespace inlay::exchange
