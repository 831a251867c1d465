// What somebody wants to ask: a base with any adapter or none, read for the adapter's own task or
// for one that needs no head.
//
//   OpenedLearner opened = open_learner({.model = folder, .task = "sentence-embedding"});
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/storage.h"
#include "eval/learner.h"

namespace inlay {

// How a loaded adapter is read.
struct LearnerReading {
  std::string task = {};  // empty: the one that it was trained for
  std::string pooling = "auto";
  TaskOptions options = {};
};

// Puts what storage gave onto its base. A head of another task is left aside.
Learner learner_from(std::shared_ptr<const Model> model, LoadedAdapter loaded,
                     const LearnerReading& reading = {});

// The parts of a base that any of these tasks reads; empty names stand for none.
ModelParts parts_for_tasks(const std::vector<std::string>& tasks, const std::string& quantise);

// The base with the parts that an adapter (a folder; empty: none) and a task (empty: none) need.
std::shared_ptr<const Model> load_base_for(const std::filesystem::path& model,
                                           const std::filesystem::path& adapter,
                                           const std::string& task,
                                           const std::string& quantise = "none");

struct LearnerSource {
  std::filesystem::path model;
  std::filesystem::path adapter = {};  // empty: the base alone
  std::string task = {};               // empty: the adapter's
  std::string pooling = "auto";
  std::string quantise = "none";  // a name of quantisation_named()
  TaskOptions options = {};       // but the tokenizer, which is the model's
};

struct OpenedLearner {
  const TaskInfo* task;
  std::vector<std::string> classes;
  std::unique_ptr<Tokenizer>
      tokenizer;  // null for a base of images; the learner's task may refer to it
  Learner learner;
};

// kUsage without an adapter and without a task that needs no head.
OpenedLearner open_learner(const LearnerSource& source);

}  // namespace inlay
