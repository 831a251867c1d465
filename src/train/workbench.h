// What a run works on, loaded once: base, tokenizer, examples, and how they are split. Training,
// evaluation and replay begin here, so that they cannot see different things.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/storage.h"
#include "check/check.h"
#include "data/splits.h"
#include "eval/batch_pass.h"
#include "eval/image_examples.h"
#include "eval/learner.h"
#include "train/train_config.h"

namespace inlay {

struct WorkbenchPaths {
  std::filesystem::path model;
  std::vector<std::string> data;  // files, or a folder
};

struct Workbench {
  TrainConfig config;  // with defaults resolved
  const TaskInfo* task = nullptr;
  std::shared_ptr<const Model> model;
  std::unique_ptr<Tokenizer> tokenizer;      // of a base of texts
  std::optional<Preprocessor> preprocessor;  // of a base of images
  Dataset data;
  // As data.examples; of a language model's data each of them has as many sequences as it takes.
  std::vector<EncodedExample> encoded;
  EncodingCounts counts;      // language models only
  std::vector<Split> splits;  // one, or one per fold
  int64_t truncated = 0;
  std::size_t unreadable = 0;  // pictures that were left out
  DType compute = DType::kF32;
  MemoryPlan memory;                              // as the checks before training choose it
  std::map<std::string, LoadedAdapter> adapters;  // finished ones that the method composes

  bool folded() const { return config.folds > 0; }
  std::vector<const EncodedExample*> pick(const std::vector<std::size_t>& indices) const;
  // A fresh adapter and head, seeded, for one split.
  Learner make_learner(const Split& split) const;
  HeadLabel head_label() const;
  // "amazon.csv:12": where an example stands, without the folders.
  std::string place(std::size_t example) const;
  // Of what turns examples into what the base reads: its tokenizer, or how it reads images.
  std::string reader_hash() const;
};

// What a configuration says of the task, of reading, and of the order of a run's batches.
TaskOptions task_options(const TrainConfig& config);
LanguageReading language_reading(const TrainConfig& config);
// How weights are read for what the base alone gives, before the checks have chosen a memory mode:
// as they are stored, since what is packed stays, unless the configuration names a mode that packs.
onednn::Reading reference_reading(const TrainConfig& config);
BatchPlan batch_plan(const TrainConfig& config);
int64_t micro_batch_tokens(const TrainConfig& config);

Workbench open_workbench(const TrainConfig& asked, const WorkbenchPaths& paths);

}  // namespace inlay
