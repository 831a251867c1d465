// A task: what the head's outputs mean, the loss over them, and the figures that judge them.
//
// Adding a task is one file in tasks/ with `const TaskInfo& task_<name>()` and one line in
// tasks/list.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/columns.h"
#include "eval/encoded_example.h"
#include "nn/head.h"

namespace inlay {

struct TaskOptions {
  double label_smoothing = 0;
  std::vector<float> class_weights;  // empty: all 1
};

// What a model gave for one example: logits (rows, outputs), one row per example or per token.
struct ModelOutput {
  const EncodedExample* example;
  std::vector<float> logits;
};

// The targets of a micro-batch, alive until its backward pass is over.
struct BatchTargets {
  std::vector<int32_t> classes;  // per row
  Tensor values;                 // (rows, outputs), F32
};

using ExampleSpan = std::span<const EncodedExample* const>;

class Task {
 public:
  virtual ~Task() = default;
  virtual HeadKind head_kind() const { return HeadKind::kSequenceClassification; }
  virtual int64_t outputs() const = 0;
  virtual BatchTargets targets(ExampleSpan examples) const = 0;
  // What these examples add to the number that the effective batch's loss is divided by.
  virtual double loss_weight(ExampleSpan examples) const = 0;
  // Losses per row, divided by `normalizer`, the loss_weight of the whole effective batch.
  virtual Variable loss(OpContext& context, const Variable& logits, const BatchTargets& targets,
                        double normalizer) const = 0;
  // What people read: label and probabilities, values, or tags. Adds the truth where the example
  // has one.
  virtual Json prediction(const ModelOutput& output) const = 0;
  // All figures by name. REQUIRES: at least one output, all with truth. Undefined ones are null.
  virtual Json metrics(std::span<const ModelOutput> outputs) const = 0;
  // What a report shows beyond the figures: confusion, classes, calibration, scatter, mistakes; as
  // in runs/report.h, but a mistake has `output`, an index into `outputs`, instead of text and row.
  virtual Json details(std::span<const ModelOutput> outputs) const = 0;
};

struct TaskInfo {
  std::string name;  // "text-classification"
  std::string summary;
  TaskKind data;
  std::string problem_type;  // Hugging Face's config value
  std::string peft_type;     // PEFT's task_type: "SEQ_CLS"
  // What the best checkpoint may be chosen by, larger being better; the first is the default.
  std::vector<std::string> choosing_metrics;
  // `classes` are the labels' names; `outputs` the number of regression values.
  std::unique_ptr<Task> (*make)(const std::vector<std::string>& classes, int64_t outputs,
                                const TaskOptions& options);
};

std::vector<const TaskInfo*> all_tasks();
// kUsage with the nearest and all names when there is none.
const TaskInfo& find_task(const std::string& name);

}  // namespace inlay
