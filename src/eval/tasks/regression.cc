// One or several numbers per text, by mean squared error.
#include "eval/metrics/regression.h"

#include "autograd/ops/losses.h"
#include "eval/task.h"

namespace inlay {
namespace {

Json or_null(const std::optional<double>& value) {
  return value.has_value() ? Json(*value) : Json();
}

class Regression : public Task {
 public:
  explicit Regression(int64_t outputs) : outputs_(outputs) {}

  int64_t outputs() const override { return outputs_; }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    targets.values = Tensor::empty({static_cast<int64_t>(examples.size()), outputs_}, DType::kF32);
    auto* row = targets.values.mutable_data<float>();
    for (const EncodedExample* example : examples) {
      row = std::copy(example->source->values.begin(), example->source->values.end(), row);
    }
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return static_cast<double>(examples.size()) * static_cast<double>(outputs_);
  }

  Variable loss(OpContext& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    return squared_error(context, logits, targets.values, normalizer);
  }

  Json prediction(const ModelOutput& output) const override {
    Json json{{"values", output.logits}};
    if (!output.example->source->values.empty()) json["truth"] = output.example->source->values;
    return json;
  }

  // Several outputs are judged as one list of numbers.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    auto [truth, predicted] = all_values(outputs);
    double error = mean_squared_error(truth, predicted);
    return {{"mse", error},
            {"negative_mse", -error},
            {"mae", mean_absolute_error(truth, predicted)},
            {"pearson", or_null(pearson(truth, predicted))},
            {"spearman", or_null(spearman(truth, predicted))}};
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    auto [truth, predicted] = all_values(outputs);
    return {{"truth", truth}, {"predicted", predicted}};
  }

 private:
  static std::pair<std::vector<float>, std::vector<float>> all_values(
      std::span<const ModelOutput> outputs) {
    std::pair<std::vector<float>, std::vector<float>> values;
    for (const ModelOutput& output : outputs) {
      const std::vector<float>& truth = output.example->source->values;
      values.first.insert(values.first.end(), truth.begin(), truth.end());
      values.second.insert(values.second.end(), output.logits.begin(), output.logits.end());
    }
    return values;
  }

  int64_t outputs_;
};

}  // namespace

const TaskInfo& task_regression() {
  static const TaskInfo info{.name = "regression",
                             .summary = "One or several numbers per text.",
                             .data = TaskKind::kRegression,
                             .problem_type = "regression",
                             .peft_type = "SEQ_CLS",
                             .default_metric = "negative_mse",
                             .make = [](const std::vector<std::string>&, int64_t outputs,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<Regression>(outputs);
                             }};
  return info;
}

}  // namespace inlay
