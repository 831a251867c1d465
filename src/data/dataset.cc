#include "data/dataset.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "data/cell_values.h"
#include "data/chat/language_dataset.h"
#include "data/encoding.h"
#include "data/images/read_images.h"
#include "data/labels.h"
#include "data/table.h"
#include "data/task_rows.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxClasses = 10'000;  // more is a wrong column, a text or a measured value

struct LoadedFile {
  DataSources::File from;
  Table table;
};

std::vector<LoadedFile> read_files(const DataSources& sources, TaskKind kind) {
  std::vector<LoadedFile> files;
  for (const auto& file : sources.files) {
    bool lines = kind == TaskKind::kUnlabelled && file.path.ends_with(".txt");
    files.push_back({file, lines ? read_text_lines(file.path)
                                 : read_table(file.path, {.objects = of_several_texts(kind)})});
  }
  return files;
}

std::vector<std::string> labels_of(const CellPlace& place, TaskKind kind) {
  if (kind == TaskKind::kSingleLabel) return {label_of(place)};
  return kind == TaskKind::kMultiLabel ? label_set_of(place) : tags_of(place);
}

LabelList collect_classes(const std::vector<LoadedFile>& files, const ColumnChoice& columns,
                          TaskKind kind) {
  std::set<std::string> seen;
  const Table& first = files[0].table;
  for (const auto& [from, table] : files) {
    if (from.part == Part::kValidation || from.part == Part::kTest) continue;
    std::size_t column = table.column(columns.label.name);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      for (std::string& label : labels_of({table, column, row}, kind))
        seen.insert(std::move(label));
      require(seen.size() <= kMaxClasses, ErrorKind::kInput,
              "{}: column {} has more than {} different labels; is it the right column?",
              table.source, excerpt(columns.label.name), kMaxClasses);
    }
  }
  std::size_t least = kind == TaskKind::kMultiLabel ? 1 : 2;
  require(seen.size() >= least, ErrorKind::kInput,
          "{}: column {} has one class only ({}); expected at least two", first.source,
          excerpt(columns.label.name), seen.empty() ? "none" : excerpt(*seen.begin()));
  return LabelList::of({seen.begin(), seen.end()});
}

std::int32_t class_of(const CellPlace& place, const std::string& label, const LabelList& classes) {
  auto found = classes.find(label);
  require(found.has_value(), ErrorKind::kInput,
          "{}: unknown label {}; expected one of {} (the classes trained on)", place.where(),
          excerpt(label), listed(classes.names()));
  return *found;
}

std::vector<std::int32_t> classes_of(const CellPlace& place, const LabelList& classes,
                                     TaskKind kind) {
  std::vector<std::int32_t> ids;
  for (const std::string& label : labels_of(place, kind))
    ids.push_back(class_of(place, label, classes));
  return ids;
}

class ExampleReader {
 public:
  ExampleReader(const Table& table, const ColumnChoice& columns, const LabelList& classes,
                const DatasetSpec& spec)
      : table_(table),
        columns_(columns),
        classes_(classes),
        kind_(spec.kind),
        targets_(spec.targets),
        text_(table.column(columns.text.name)),
        pair_(chosen(columns.text_pair)),
        label_(chosen(columns.label)),
        adapter_(chosen(columns.adapter)) {}

  Example read(std::size_t row, std::size_t file) const {
    Example example;
    example.file = file;
    example.line = table_.lines[row];
    example.row = row + 1;
    if (adapter_) example.adapter = name_or_empty({table_, *adapter_, row});
    if (of_several_texts(kind_)) {
      read_task_row(example, table_, columns_, row, kind_, targets_);
      return example;
    }
    CellPlace text{table_, text_, row};
    bool words = kind_ == TaskKind::kTokenTags ||
                 (kind_ == TaskKind::kUnlabelled && text.cell().kind == CellKind::kTextList);
    if (words) {
      example.words = words_of(text);
    } else {
      example.text = text_of(text);
    }
    if (pair_) example.text_pair = text_of({table_, *pair_, row});
    if (label_) read_target(example, {table_, *label_, row});
    return example;
  }

 private:
  std::optional<std::size_t> chosen(const ColumnChoice::One& one) const {
    return one.name.empty() ? std::nullopt : std::optional(table_.column(one.name));
  }

  void read_target(Example& example, const CellPlace& place) const {
    if (kind_ == TaskKind::kSingleLabel)
      example.class_id = class_of(place, label_of(place), classes_);
    if (kind_ == TaskKind::kRegression) example.values = values_of(place);
    if (kind_ == TaskKind::kMultiLabel) {
      example.class_ids = classes_of(place, classes_, kind_);
      std::sort(example.class_ids.begin(), example.class_ids.end());
      auto repeat = std::adjacent_find(example.class_ids.begin(), example.class_ids.end());
      if (repeat != example.class_ids.end()) wrong_value(place, "different labels in one row");
    }
    if (kind_ == TaskKind::kTokenTags) {
      example.tag_ids = classes_of(place, classes_, kind_);
      require(example.tag_ids.size() == example.words.size(), ErrorKind::kInput,
              "{}: found {} tags for {} words; expected one tag per word", place.where(),
              example.tag_ids.size(), example.words.size());
    }
  }

  const Table& table_;
  const ColumnChoice& columns_;
  const LabelList& classes_;
  TaskKind kind_;
  bool targets_;
  std::size_t text_;
  std::optional<std::size_t> pair_;
  std::optional<std::size_t> label_;
  std::optional<std::size_t> adapter_;
};

// Kinds of several texts are also read where there is nothing to learn from.
void require_target(const ColumnChoice& columns, const Table& table, const DatasetSpec& spec) {
  bool wanted = spec.kind == TaskKind::kQuestionAnswering ||
                spec.kind == TaskKind::kMultipleChoice || spec.kind == TaskKind::kScoredPairs;
  require(!wanted || !spec.targets || !columns.label.name.empty(), ErrorKind::kInput,
          "{}: no column looks like the {}; the columns are {}; name it with --label-column",
          table.source, spec.kind == TaskKind::kQuestionAnswering ? "answers" : "label",
          listed(table.columns));
}

void check_widths(const Dataset& data) {
  for (std::size_t i = 1; i < data.examples.size(); ++i) {
    std::size_t width = data.examples[i].values.size(), expected = data.examples[0].values.size();
    require(width == expected, ErrorKind::kInput,
            "{}: found {} numbers as the target; expected {} as in {}", data.place(i), width,
            expected, data.place(0));
  }
}

}  // namespace

std::string Dataset::place(std::size_t example) const {
  if (images != nullptr) return images->place(example);
  const Example& there = examples[example];
  auto shares_line = [&](const Example& other) {
    return other.file == there.file && other.line == there.line;
  };
  bool shared = (example > 0 && shares_line(examples[example - 1])) ||
                (example + 1 < examples.size() && shares_line(examples[example + 1]));
  return fmt::format("{}:{}{}", files[there.file].path, there.line,
                     shared ? fmt::format(", row {}", there.row) : "");
}

Dataset load_dataset(const DatasetSpec& spec) {
  if (spec.kind == TaskKind::kLanguage) return load_language_dataset(spec);
  if (spec.kind == TaskKind::kPreference) return load_preference_dataset(spec);
  if (of_images(spec.kind)) {
    Dataset data{.kind = spec.kind};
    read_image_examples(spec, data);
    return data;
  }
  DataSources sources = find_sources(spec.from);
  std::vector<LoadedFile> files = read_files(sources, spec.kind);
  Dataset data;
  data.kind = spec.kind;
  data.columns = choose_columns(files[0].table, spec.columns, sources.card, spec.kind);
  bool classed = spec.kind != TaskKind::kRegression && spec.kind != TaskKind::kUnlabelled &&
                 !of_several_texts(spec.kind);
  require_target(data.columns, files[0].table, spec);
  LabelList classes;
  if (classed) {
    classes = spec.classes.empty() ? collect_classes(files, data.columns, spec.kind)
                                   : LabelList::ordered(spec.classes);
  }
  data.classes = classes.names();
  for (auto& [from, table] : files) {
    ExampleReader reader(table, data.columns, classes, spec);
    for (std::size_t row = 0; row < table.rows(); ++row)
      data.examples.push_back(reader.read(row, data.files.size()));
    data.files.push_back(
        {.path = table.source, .sha256 = table.sha256, .part = from.part, .rows = table.rows()});
    table = {};
  }
  check_widths(data);
  return data;
}

}  // namespace inlay
