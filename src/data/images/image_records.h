// What a source of pictures says about each of them, before labels become classes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/images/image_store.h"

namespace inlay {

struct ImageDataSpec {
  TaskKind kind = TaskKind::kImageLabel;  // or another that is of_images()
  // Of a table: `text` is the column of the pictures' paths, `further` that of the groups.
  ColumnNames columns = {};
  std::vector<std::string> classes = {};  // their order; empty: the source's own, else sorted
  bool targets = true;                    // false: the pictures alone are read
};

struct ImageRecord {
  std::vector<std::string> labels;  // one, or of kImageLabels any number
  std::vector<float> values;        // of kImageValues
  std::vector<ObjectBox> boxes;     // of kImageBoxes; their class is an index into `classes`
  std::string adapter;              // that answers it, where a column says so
  std::string group;                // ties pictures together that must stay in one part
  std::size_t file = 0;             // index into ImageRecords::files
  std::size_t line = 0, row = 0;    // in that file, from 1
};

struct ImageRecords {
  std::shared_ptr<const ImageStore> images;
  std::vector<ImageRecord> records;  // one for each of the images
  std::vector<DataFile> files;
  ColumnChoice columns;
  std::vector<std::string> classes;  // where the source lists them, in its order
};

}  // namespace inlay
