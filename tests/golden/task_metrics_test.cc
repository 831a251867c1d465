// The figures of tasks over several texts against plain implementations of their definitions, by
// what a learner would have given.
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>

#include "base/json.h"
#include "base/source_dir.h"
#include "eval/task.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxBytes = 1u << 20;

class TaskMetrics : public testing::TestWithParam<std::string> {
 protected:
  TaskMetrics()
      : expected_(
            read_json(source_dir() / "tests/golden/metrics/tasks.json", kMaxBytes).at(GetParam())),
        task_(find_task(GetParam()).make({}, 5, {})) {}

  ModelOutput& add(std::size_t sequences) {
    EncodedExample& example = encoded_.emplace_back();
    example.source = &sources_.emplace_back();
    example.further.resize(sequences - 1);
    return outputs_.emplace_back(ModelOutput{&example, {}});
  }

  void add_question(const Json& row) {
    auto start = row.at("start").get<float>();
    add(1).values = {start, start + row.at("length").get<float>(), 0.5f};
    Example& source = sources_.back();
    source.text_pair = row.at("context").get<std::string>();
    source.answers.emplace();
    for (const Json& truth : row.at("truths"))
      source.answers->push_back({truth.get<std::string>(), 0});
  }

  void add_texts(const Json& row) {
    ModelOutput& output = add(row.size());
    for (const Json& vector : row) {
      for (const Json& value : vector) output.values.push_back(value.get<float>());
    }
    std::string number = std::to_string(outputs_.size());
    Example& source = sources_.back();
    source.text = "anchor " + number;
    source.text_pair = "own " + number;
    if (row.size() > 2) source.further = {"other " + number};
    if (expected_.contains("scores"))
      source.values = {expected_.at("scores").at(outputs_.size() - 1).get<float>()};
  }

  Json expected_;
  std::unique_ptr<Task> task_;
  std::deque<Example> sources_;
  std::deque<EncodedExample> encoded_;
  std::vector<ModelOutput> outputs_;
};

TEST_P(TaskMetrics, AreThoseOfTheirDefinitions) {
  for (const Json& row : expected_.at("rows")) {
    if (row.is_array()) {
      add_texts(row);
    } else {
      add_question(row);
    }
  }
  Json metrics = task_->metrics(outputs_);
  std::size_t compared = 0;
  for (const auto& [name, value] : expected_.items()) {
    if (!value.is_number()) continue;
    ASSERT_TRUE(metrics.contains(name)) << name;
    EXPECT_NEAR(metrics.at(name).get<double>(), value.get<double>(), 1e-6) << name;
    ++compared;
  }
  EXPECT_GE(compared, 3u);
}

INSTANTIATE_TEST_SUITE_P(Tasks, TaskMetrics,
                         testing::Values("question-answering", "sentence-retrieval",
                                         "sentence-triplets", "sentence-similarity"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace inlay
