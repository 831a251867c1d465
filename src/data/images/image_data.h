// Labelled pictures from whatever holds them, checked before anything is trained:
//
//   a folder with a dataset.json of "format" idx or image-folder (image_card.h)
//   a folder per class, perhaps in folders train, validation and test (image_folder.h)
//   a table with a column of paths, or a folder with such tables (image_table.h)
//   MedMNIST's .npz (image_arrays.h)
//   boxes of objects: COCO annotations (coco_images.h)
//   where no targets are wanted also pictures by themselves
//
//   ImageData data = load_image_data({.paths = {"flowers"}}, {.kind = TaskKind::kImageLabel});
//   Image first = data.images->load(0);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/images/image_records.h"

namespace inlay {

struct ImageData {
  std::shared_ptr<const ImageStore> images;
  std::vector<Example> examples;  // one for each of the images; `text` is its place
  std::vector<std::string> classes;
  std::vector<DataFile> files;
  ColumnChoice columns;
};

// Errors, all kInput: what the readers above refuse, a missing label, a label that is not among the
// classes (one that occurs in the validation or test part only), a single class, numbers of
// different count. Pictures are not decoded yet.
//
// Of kImageIdentity the label is the group as well, whatever group the data name, so that a split
// never divides what shows one thing; the labels of all parts are classes, and those that the spec
// does not list come after those that it does.
ImageData load_image_data(const DataPaths& from, const ImageDataSpec& spec);

}  // namespace inlay
