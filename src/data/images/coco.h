// Annotations of objects in pictures as COCO has them (Lin et al. 2014, "Microsoft COCO: Common
// Objects in Context"; the format is at cocodataset.org, "Object Detection"): images, categories
// with numbers of any kind, and boxes [x, y, width, height] in pixels from the upper left corner.
//
//   CocoData data = read_coco("instances_val.json");
//   for (const CocoBox& box : data.images[0].boxes) use(data.categories[box.category]);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

struct CocoBox {
  int64_t id = 0;
  std::size_t category = 0;  // index into CocoData::categories
  double x = 0, y = 0, width = 0, height = 0;
  double area = 0;     // of the object; of the box where the file does not say
  bool crowd = false;  // stands for a group of objects: neither found nor missed
};

struct CocoImage {
  int64_t id = 0;
  std::string file;
  int64_t width = 0, height = 0;
  std::vector<CocoBox> boxes;  // by id
};

// Boxes that were left out, and the first of them: "annotation 7 of a.jpg".
struct CocoLeftOut {
  std::size_t count = 0;
  std::vector<std::string> first;  // at most ten
};

struct CocoData {
  std::vector<CocoImage> images;        // by id
  std::vector<std::string> categories;  // by id
  std::vector<int64_t> category_ids;    // as the file has them
  CocoLeftOut empty;                    // less than a hundredth of a pixel wide or high
  CocoLeftOut outside;                  // with nothing of them in the picture
};

// Boxes are clipped to their pictures. kInput: not such a file, a repeated id, an unknown image or
// category, a number that is not finite, sizes outside 1 to 65,535, a file name that leaves the
// folder.
CocoData parse_coco(std::string_view text, const std::string& where);
// A file of at most 512 MiB.
CocoData read_coco(const std::filesystem::path& path);

}  // namespace inlay
