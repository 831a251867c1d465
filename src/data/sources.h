// Which files a data set consists of, and which part of it each one is. A folder stands for its
// data files in name order; files called train, validation (or valid, val, dev) and test are those
// parts. A dataset.json in the folder may name the columns:
//
//   {"name": "sentiment-sentences", "columns": {"text": "text", "label": "class"}}
//
// "text_pair" and "further" (names with commas between) are the others it may name; every other
// top-level key is information for people and is ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inlay {

enum class Part { kWhole, kTrain, kValidation, kTest };

std::string_view describe(Part part);  // "data", "train", "validation", "test"

// What to read: either `paths` (files, one folder, or "-" for standard input) or files for each
// part.
struct DataPaths {
  std::vector<std::string> paths = {};
  std::string train = {};
  std::string validation = {};
  std::string test = {};
};

// The names of columns; an empty one is not chosen.
struct ColumnNames {
  std::string text = {};
  std::string text_pair = {};
  std::string label = {};
  std::string further = {};  // several, with commas between: choices, negatives, an answer's start
  std::string adapter = {};  // which adapter answers a row; never guessed
};

struct DataSources {
  struct File {
    std::string path;
    Part part = Part::kWhole;
  };
  std::vector<File> files;  // kWhole, or kTrain first
  ColumnNames card;         // from dataset.json
};

DataSources find_sources(const DataPaths& paths);

}  // namespace inlay
