// Any bytes either parse or raise an Error; every tensor of a file that parses can be read whole.
#include "formats/safetensors.h"

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    auto file = inlay::SafetensorsFile::parse(
        std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    unsigned sum = 0;
    for (const auto& entry : file.entries()) {
      for (std::byte byte : file.raw_bytes(entry.name)) sum += static_cast<unsigned>(byte);
      try {
        file.tensor(entry.name).clone();
      } catch (const inlay::Error&) {
      }
    }
    volatile unsigned keep = sum;
    static_cast<void>(keep);
  } catch (const inlay::Error&) {
  }
  return 0;
}
