// Any bytes either are an IDX file, with as many elements as its sizes say, or raise an Error.
#include "data/images/idx.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    inlay::IdxArray array = inlay::parse_idx(std::as_bytes(std::span(data, size)), "fuzz");
    std::size_t count = 1;
    for (int64_t axis : array.sizes) count *= static_cast<std::size_t>(axis);
    if (count != array.bytes.size()) std::abort();
  } catch (const inlay::Error& error) {
    if (error.kind() != inlay::ErrorKind::kInput) std::abort();
  }
  return 0;
}
