// A task: what the head's outputs mean, the loss over them, and the figures that judge them.
//
// Adding a task is one file in tasks/ with `const TaskInfo& task_<name>()` and one line in
// tasks/list.h.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/ops/group_cross_entropy.h"
#include "autograd/ops/preference_loss.h"
#include "autograd/ops/row_similarity.h"
#include "base/json.h"
#include "data/columns.h"
#include "eval/encoded_example.h"
#include "image/augment.h"
#include "nn/head.h"
#include "text/tokenizer.h"

namespace inlay {

struct TaskOptions {
  double label_smoothing = 0;
  std::vector<float> class_weights = {};      // empty: all 1
  uint64_t seed = 0;                          // of targets that the task draws itself
  Similarity distance = Similarity::kCosine;  // of triplets
  double margin = 0.5;                        // of triplets
  double similarity_scale = 20;               // of in-batch negatives: 1 / temperature
  double beta = 0.1;                          // of preferences
  Augmentation augmentation = {};             // of pictures
  // Both outlive the task; for tasks over the vocabulary.
  const Tokenizer* tokenizer = nullptr;
  const Model* model = nullptr;
};

// What turns the base's hidden states into a task's outputs.
enum class OutputLayer {
  kHead,       // a head that is trained with the adapter
  kMaskedLm,   // the base's own masked-LM head, frozen like the rest
  kPooling,    // nothing but pooling: a vector per text
  kNextToken,  // none: the task has hidden rows, and the base's output projection for them
};

// When an example is looked at. Tasks that make their own targets (masked LM) draw new ones in
// every epoch, the same ones in every evaluation, and none for a text that somebody asks about.
struct Occasion {
  enum class Kind { kTraining, kEvaluation, kAnswer };
  Kind kind = Kind::kEvaluation;
  int64_t epoch = 0;  // of training, from 0
};

// What a model gave for one example: what the task keeps of the logits (rows, outputs), one row per
// example, per token or per token asked about.
struct ModelOutput {
  const EncodedExample* example;
  std::vector<float> values;
};

// The targets of a micro-batch, alive until its backward pass is over.
struct BatchTargets {
  std::vector<int32_t> classes;  // per row
  Tensor values;                 // (rows, outputs), F32
  GroupTargets groups;           // the right one of the rows of each group
  RowPairs pairs;                // of rows that are compared
  PreferencePairs preferences;   // of answers
  std::vector<float> weights;    // per row, where they count unequally
  // What the rows of a comparison and of the losses stand for, where that is not the logits' own.
  RowSpace compared, losses;
};

class Task {
 public:
  virtual ~Task() = default;
  virtual HeadKind head_kind() const { return HeadKind::kSequenceClassification; }
  virtual int64_t outputs() const = 0;
  // Whether the loss compares the examples of a batch with each other, so that no part of a batch
  // can be computed without the rest.
  virtual bool couples_batch() const { return false; }
  // The example as the model sees it on this occasion, with its targets; nothing where that is the
  // example itself. A function of the task's seed, the occasion and the example alone.
  virtual std::optional<EncodedExample> posed(const EncodedExample&, const Occasion&) const {
    return std::nullopt;
  }
  // The same mixed with another one of the effective batch, both as they were posed for training;
  // nothing where the task mixes none.
  virtual std::optional<EncodedExample> mixed(const EncodedExample& /*posed*/,
                                              const EncodedExample& /*partner*/,
                                              const Occasion&) const {
    return std::nullopt;
  }
  virtual BatchTargets targets(ExampleSpan examples) const = 0;
  // What these examples add to the number that the effective batch's loss is divided by.
  virtual double loss_weight(ExampleSpan examples) const = 0;
  // Losses per row, divided by `normalizer`, the loss_weight of the whole effective batch.
  virtual Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                        double normalizer) const = 0;
  // The targets must outlive the backward pass, so they cannot be made in the call.
  Variable loss(Context&, const Variable&, BatchTargets&&, double) const = delete;
  // What is kept of the outputs of these examples is computed from, row by row: they themselves, or
  // fewer numbers where a row of outputs is more than the task needs.
  virtual Variable judged(Context& /*context*/, Variable outputs, ExampleSpan) const {
    return outputs;
  }
  // What to keep of an example's logits (rows, outputs) for prediction() and metrics(); all of them
  // where they are few. `example` is as it was posed.
  virtual std::vector<float> kept(const EncodedExample& /*example*/,
                                  std::span<const float> logits) const {
    return {logits.begin(), logits.end()};
  }
  // What people read: label and probabilities, values, or tags. Adds the truth where the example
  // has one.
  virtual Json prediction(const ModelOutput& output) const = 0;
  // All figures by name. REQUIRES: at least one output, all with truth. Undefined ones are null.
  virtual Json metrics(std::span<const ModelOutput> outputs) const = 0;
  // What a report shows beyond the figures: confusion, classes, calibration, scatter, mistakes; as
  // in runs/report.h, but a mistake has `output`, an index into the outputs, instead of text and
  // row. Without classes or mistakes of its own a task has an empty object.
  virtual Json details(std::span<const ModelOutput>) const { return Json::object(); }
};

struct TaskInfo {
  std::string name;  // "text-classification"
  std::string summary;
  TaskKind data;
  OutputLayer layer = OutputLayer::kHead;
  bool trainable = true;     // false: it has no loss, and without a headline no figures
  bool reference = false;    // its examples need EncodedExample::reference
  std::string problem_type;  // Hugging Face's config value
  std::string peft_type;     // PEFT's task_type: "SEQ_CLS"
  // What the best checkpoint may be chosen by, larger being better; the first is the default.
  std::vector<std::string> choosing_metrics;
  // The figures that people ask for first, in that order.
  std::vector<std::string> headline;
  // `classes` are the labels' names; `outputs` the number of regression values, or what the base's
  // own layer gives.
  std::unique_ptr<Task> (*make)(const std::vector<std::string>& classes, int64_t outputs,
                                const TaskOptions& options);
};

std::vector<const TaskInfo*> all_tasks();
// kUsage with the nearest and all names when there is none.
const TaskInfo& find_task(const std::string& name);
// The tasks that need no head of their own, so that a base can be asked without an adapter.
std::vector<const TaskInfo*> headless_tasks();
// Fails (kUsage) for a task that can only predict.
void require_trainable(const TaskInfo& task);

}  // namespace inlay
