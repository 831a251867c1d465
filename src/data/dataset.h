// Labelled (or unlabelled) text examples read from files, checked in full before anything is
// trained: every error names the file, the line, what was found and what was expected.
//
//   Dataset data = load_dataset({.from = {.paths = {"reviews.csv"}}, .kind =
//   TaskKind::kSingleLabel}); log(data.columns.describe());     // text "review" (guessed), label
//   "class" (guessed) data.examples[0].class_id;        // an index into data.classes
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/columns.h"
#include "data/images/image_store.h"
#include "data/sources.h"

namespace inlay {

struct DatasetSpec {
  DataPaths from;
  ColumnNames columns = {};  // empty: dataset.json, else guessed
  TaskKind kind = TaskKind::kSingleLabel;
  std::string format = {};  // kLanguage: a name of ChatFormat; empty: recognised
  // The order of the classes, as from a model's id2label; empty: those of the data (of the train
  // part when there are parts), sorted. Labels may then also be given as indices.
  std::vector<std::string> classes = {};
  // False: the texts alone are read, of whatever kind, as where somebody asks for predictions.
  bool targets = true;
};

// Text that answers a question, and where it begins in the context, in characters from 0.
struct Answer {
  std::string text;
  std::int64_t start = 0;
};

// An object in a picture, in shares of its width and height from the upper left corner.
struct ObjectBox {
  std::int32_t class_id = -1;
  float left = 0, top = 0, right = 0, bottom = 0;
  bool crowd = false;  // a group of objects: neither found nor missed
};

// Of the targets only the task's own is set.
struct Example {
  std::string text;  // the name of a picture
  std::string text_pair;
  // Choices, texts that do not go with the first one, or the worse one of two answers.
  std::vector<std::string> further;
  std::vector<std::string> words;       // instead of text, for tokens that are already split
  std::int32_t class_id = -1;           // single label; the right one of the choices
  std::vector<std::int32_t> class_ids;  // multi label, ascending, may be empty
  std::vector<float> values;            // regression, as many for every example; a pair's score
  std::vector<std::int32_t> tag_ids;    // token tags, one per word
  std::vector<ObjectBox> boxes;         // objects in a picture, may be empty
  // Question answering: those that people gave, none where there is none; unset: nobody knows.
  std::optional<std::vector<Answer>> answers;
  std::string adapter = {};  // that answers it, where a column says so; may be empty
  // Pictures that are variants of one have the same group, and none is split from it; empty: alone.
  std::string group = {};
  std::size_t file = 0;  // index into Dataset::files
  std::size_t line = 0;  // where its row begins, from 1
  std::size_t row = 0;   // which row of the file, from 1, the header not counted
};

struct DataFile {
  std::string path;
  std::string sha256;
  Part part = Part::kWhole;
  std::size_t rows = 0;
};

struct ConversationData;
struct PreferenceData;

struct Dataset {
  TaskKind kind = TaskKind::kSingleLabel;
  std::vector<Example> examples;  // in the order of files and lines
  std::vector<std::string> classes;
  ColumnChoice columns;
  std::vector<DataFile> files;
  // One for each example: of kLanguage, and of kPreference.
  std::shared_ptr<const ConversationData> conversations;
  std::shared_ptr<const PreferenceData> preferences;
  std::shared_ptr<const ImageStore> images;  // by example, of pictures

  bool has_parts() const { return !files.empty() && files[0].part != Part::kWhole; }
  Part part(std::size_t example) const { return files[examples[example].file].part; }
  // "reviews.csv:12", or "reviews.json:1, row 12" where the line alone does not tell.
  std::string place(std::size_t example) const;
};

// For an unlabelled task a .txt file holds a text per line; otherwise it is a table like any other.
// Errors, all kInput: an empty text, a missing label, a label that is not among the classes (one
// that occurs in the validation or test part only), a single class, a target that is no finite
// number, tags that do not match the words, a value of the wrong type.
Dataset load_dataset(const DatasetSpec& spec);

}  // namespace inlay
