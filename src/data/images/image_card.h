// What the dataset.json of a folder of pictures says:
//
//   {"format": "idx", "train": ["train-images.gz", "train-labels.gz"], "test": [...],
//    "labels": ["T-shirt/top", "Trouser"]}          IDX files; "validation" may be there as well
//   {"format": "image-folder", "groups": {"cats/tom-1.png": "tom", "cats/tom-2.png": "tom"}}
//
// Without "format", and where there is no such file, the folder is looked at. Other keys are
// information for people and are ignored.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/sources.h"

namespace inlay {

struct ImageCard {
  struct IdxPart {
    Part part = Part::kTrain;
    std::string images, labels;  // plain file names
  };
  std::string format;  // empty, "idx" or "image-folder"
  std::vector<IdxPart> parts;
  std::vector<std::string> labels;            // names of the classes 0, 1, ...
  std::map<std::string, std::string> groups;  // by picture
};

// kInput naming the file for a value of the wrong type and for another format.
ImageCard read_image_card(const std::filesystem::path& folder);

}  // namespace inlay
