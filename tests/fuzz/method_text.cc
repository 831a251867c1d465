// Any text either names a method or a composition, or raises an Error; what is read can be written,
// and read again as the same.
#include "adapters/composition_tree.h"
#include "adapters/method.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  try {
    inlay::parse_method(text);
  } catch (const inlay::Error&) {
  }
  std::string written;
  try {
    written = inlay::composition_text(inlay::parse_composition(text));
  } catch (const inlay::Error&) {
    return 0;
  }
  if (inlay::composition_text(inlay::parse_composition(written)) != written) __builtin_trap();
  return 0;
}
