// One or several numbers per text, by mean squared error.
#include "eval/metrics/regression.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/task.h"
#include "eval/task_details.h"

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

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    return squared_error(context, logits, targets.values, normalizer);
  }

  Json prediction(const ModelOutput& output) const override {
    Json json{{"values", output.values}};
    if (!output.example->source->values.empty()) json["truth"] = output.example->source->values;
    return json;
  }

  // Several outputs are judged as one list of numbers.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    auto [truth, predicted] = all_values(outputs);
    double error = mean_squared_error(truth, predicted);
    Json metrics{{"mse", error},
                 {"negative_mse", -error},
                 {"mae", mean_absolute_error(truth, predicted)},
                 {"pearson", or_null(pearson(truth, predicted))},
                 {"spearman", or_null(spearman(truth, predicted))}};
    add_interval(metrics, "mse", interval_of(truth, predicted, mean_squared_error));
    add_interval(metrics, "pearson", interval_of(truth, predicted, pearson));
    return metrics;
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    auto [truth, predicted] = all_values(outputs);
    Json points = Json::array();
    for (std::size_t i = 0; i < truth.size(); ++i) points.push_back({truth[i], predicted[i]});
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<float>& wanted = outputs[i].example->source->values;
      double error = 0;
      for (std::size_t k = 0; k < wanted.size(); ++k)
        error = std::max(error, std::abs(static_cast<double>(wanted[k]) - outputs[i].values[k]));
      mistakes.add({i, error, written(wanted), written(outputs[i].values), std::nullopt});
    }
    return {{"scatter", {{"name", "value"}, {"points", points}}}, {"mistakes", mistakes.details()}};
  }

 private:
  static std::string written(const std::vector<float>& values) {
    std::string text;
    for (float value : values) text += fmt::format("{}{:.3g}", text.empty() ? "" : ", ", value);
    return text;
  }

  // Over resampled examples, all numbers of one together.
  template <class Figure>
  std::optional<Interval> interval_of(const std::vector<float>& truth,
                                      const std::vector<float>& predicted,
                                      const Figure& figure) const {
    auto width = static_cast<std::size_t>(outputs_);
    std::vector<float> some_truth(truth.size()), some_predicted(truth.size());
    auto of_rows = [&](std::span<const std::size_t> rows) -> std::optional<double> {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(&truth[rows[i] * width], width, &some_truth[i * width]);
        std::copy_n(&predicted[rows[i] * width], width, &some_predicted[i * width]);
      }
      return figure(some_truth, some_predicted);
    };
    return bootstrap_interval(truth.size() / width, of_rows, {});
  }

  static std::pair<std::vector<float>, std::vector<float>> all_values(
      std::span<const ModelOutput> outputs) {
    std::pair<std::vector<float>, std::vector<float>> values;
    for (const ModelOutput& output : outputs) {
      const std::vector<float>& truth = output.example->source->values;
      values.first.insert(values.first.end(), truth.begin(), truth.end());
      values.second.insert(values.second.end(), output.values.begin(), output.values.end());
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
                             .choosing_metrics = {"negative_mse", "pearson", "spearman"},
                             .headline = {"pearson", "spearman", "mse"},
                             .make = [](const std::vector<std::string>&, int64_t outputs,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<Regression>(outputs);
                             }};
  return info;
}

}  // namespace inlay
