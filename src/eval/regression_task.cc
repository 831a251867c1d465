#include "eval/regression_task.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "autograd/ops/losses.h"
#include "eval/intervals.h"
#include "eval/metrics/regression.h"
#include "eval/optional_figure.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

constexpr std::size_t kMostShownAlone = 16;

std::string written(const std::vector<float>& values) {
  std::string text;
  for (float value : values) text += fmt::format("{}{:.3g}", text.empty() ? "" : ", ", value);
  return text;
}

// (n, width) each.
struct Values {
  std::size_t width;
  std::vector<float> truth, predicted;

  std::size_t rows() const { return truth.size() / width; }
  Values column(std::size_t k) const {
    Values own{1, {}, {}};
    own.truth.reserve(rows());
    own.predicted.reserve(rows());
    for (std::size_t i = k; i < truth.size(); i += width) {
      own.truth.push_back(truth[i]);
      own.predicted.push_back(predicted[i]);
    }
    return own;
  }
};

Values all_values(std::span<const ModelOutput> outputs, std::size_t width) {
  Values values{width, {}, {}};
  for (const ModelOutput& output : outputs) {
    const std::vector<float>& truth = output.example->source->values;
    require(truth.size() == width && output.values.size() == width, ErrorKind::kInput,
            "{} has {} numbers as its target; expected {}, as trained on",
            output.example->source->text, truth.size(), width);
    values.truth.insert(values.truth.end(), truth.begin(), truth.end());
    values.predicted.insert(values.predicted.end(), output.values.begin(), output.values.end());
  }
  return values;
}

// Over resampled examples, all numbers of one together.
template <class Figure>
std::optional<Interval> interval_of(const Values& values, const Figure& figure) {
  std::size_t width = values.width;
  std::vector<float> truth(values.truth.size()), predicted(values.predicted.size());
  auto of_rows = [&](std::span<const std::size_t> rows) -> std::optional<double> {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(&values.truth[rows[i] * width], width, &truth[i * width]);
      std::copy_n(&values.predicted[rows[i] * width], width, &predicted[i * width]);
    }
    return figure(truth, predicted);
  };
  return bootstrap_interval(values.rows(), of_rows, {});
}

void add_each(Json& metrics, const Values& values) {
  for (std::size_t k = 0; k < values.width; ++k) {
    Values own = values.column(k);
    metrics[fmt::format("mse_of_{}", k + 1)] = mean_squared_error(own.truth, own.predicted);
    metrics[fmt::format("mae_of_{}", k + 1)] = mean_absolute_error(own.truth, own.predicted);
    metrics[fmt::format("pearson_of_{}", k + 1)] =
        figure_or_null(pearson(own.truth, own.predicted));
  }
}

}  // namespace

BatchTargets RegressionTask::targets(ExampleSpan examples) const {
  BatchTargets targets;
  targets.values = Tensor::empty({static_cast<int64_t>(examples.size()), outputs_}, DType::kF32);
  auto* row = targets.values.mutable_data<float>();
  for (const EncodedExample* example : examples) {
    row = std::copy(example->source->values.begin(), example->source->values.end(), row);
  }
  return targets;
}

double RegressionTask::loss_weight(ExampleSpan examples) const {
  return static_cast<double>(examples.size()) * static_cast<double>(outputs_);
}

Variable RegressionTask::loss(Context& context, const Variable& logits, const BatchTargets& targets,
                              double normalizer) const {
  return squared_error(context, logits, targets.values, normalizer);
}

Json RegressionTask::prediction(const ModelOutput& output) const {
  Json json{{"values", output.values}};
  if (!output.example->source->values.empty()) json["truth"] = output.example->source->values;
  return json;
}

Json RegressionTask::metrics(std::span<const ModelOutput> outputs) const {
  Values values = all_values(outputs, static_cast<std::size_t>(outputs_));
  double error = mean_squared_error(values.truth, values.predicted);
  Json metrics{{"mse", error},
               {"negative_mse", -error},
               {"mae", mean_absolute_error(values.truth, values.predicted)},
               {"pearson", figure_or_null(pearson(values.truth, values.predicted))},
               {"spearman", figure_or_null(spearman(values.truth, values.predicted))}};
  add_interval(metrics, "mse", interval_of(values, mean_squared_error));
  add_interval(metrics, "pearson", interval_of(values, pearson));
  if (values.width > 1 && values.width <= kMostShownAlone) add_each(metrics, values);
  return metrics;
}

Json RegressionTask::details(std::span<const ModelOutput> outputs) const {
  Values values = all_values(outputs, static_cast<std::size_t>(outputs_));
  Json points = Json::array();
  for (std::size_t i = 0; i < values.truth.size(); ++i)
    points.push_back({values.truth[i], values.predicted[i]});
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

}  // namespace inlay
