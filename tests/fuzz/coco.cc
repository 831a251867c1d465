// Any bytes either are COCO annotations, whose boxes lie in their pictures, or raise an Error.
#include "data/images/coco.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    inlay::CocoData read =
        inlay::parse_coco(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
    for (const inlay::CocoImage& image : read.images) {
      for (const inlay::CocoBox& box : image.boxes) {
        bool inside = box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 &&
                      box.category < read.categories.size();
        if (!inside) std::abort();
      }
    }
  } catch (const inlay::Error& error) {
    if (error.kind() != inlay::ErrorKind::kInput) std::abort();
  }
  return 0;
}
