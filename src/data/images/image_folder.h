// Pictures in a folder per class:
//
//   FOLDER/<class>/**.{png,jpg,jpeg,webp}
//   FOLDER/{train,validation|valid|val|dev,test}/<class>/**
//
// The order is that of the relative paths, bytewise. See pictures_below() for what is refused.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/images/image_records.h"

namespace inlay {

struct ImageFolder {
  std::filesystem::path path;
  Part part = Part::kWhole;
};

// The folders of the parts, train first; or the folder itself. kInput where other folders stand
// beside a folder called train.
std::vector<ImageFolder> part_folders(const std::filesystem::path& folder);

// `root` is what places, and the pictures of `groups`, are relative to; empty: nothing. kInput: a
// picture outside of the class folders, a class folder without a picture, a task of numbers.
// Without targets any folder of pictures will do.
ImageRecords read_image_folders(const std::filesystem::path& root,
                                const std::vector<ImageFolder>& folders,
                                const std::map<std::string, std::string>& groups,
                                const ImageDataSpec& spec);

}  // namespace inlay
