// Any bytes either are a picture within the limits or raise an Error, and what is a picture
// survives being written and read again.
#include "image/image.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const inlay::ImageLimits limits = {.side = 512, .pixels = 1 << 16};
  try {
    const inlay::Image image = inlay::decode_image(
        std::string_view(reinterpret_cast<const char*>(data), size), "fuzz", limits);
    if (image.rgb.size() != static_cast<std::size_t>(image.width * image.height * 3)) std::abort();
    if (inlay::decode_image(inlay::encode_png(image), "again", limits) != image) std::abort();
  } catch (const inlay::Error& error) {
    if (error.kind() != inlay::ErrorKind::kInput) std::abort();
  }
  return 0;
}
