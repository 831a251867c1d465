#include <png.h>

#include "base/error.h"
#include "image/image.h"

namespace inlay {

std::string encode_png(const Image& image) {
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  const int written =
      png_image_write_to_memory(&header, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr);
  ensure(written != 0, "a PNG of {} x {} pixels was not written: {}", image.width, image.height,
         static_cast<const char*>(header.message));
  bytes.resize(size);
  return bytes;
}

}  // namespace inlay
