// Embeddings whose cosine is how alike two texts are, by mean squared error (Reimers and Gurevych
// 2019, section 3; sentence-transformers' CosineSimilarityLoss). Judged by rank correlation.
#include <fmt/core.h>

#include <cmath>

#include "autograd/ops/losses.h"
#include "eval/embeddings.h"
#include "eval/intervals.h"
#include "eval/metrics/regression.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

Json or_null(const std::optional<double>& value) {
  return value.has_value() ? Json(*value) : Json();
}

std::vector<float> scores_of(std::span<const ModelOutput> outputs) {
  std::vector<float> scores;
  scores.reserve(outputs.size());
  for (const ModelOutput& output : outputs) scores.push_back(output.example->source->values[0]);
  return scores;
}

class SentenceSimilarity : public Task {
 public:
  explicit SentenceSimilarity(int64_t hidden) : hidden_(hidden) {}

  int64_t outputs() const override { return hidden_; }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    auto count = static_cast<int64_t>(examples.size());
    targets.values = Tensor::empty({count, 1}, DType::kF32);
    for (int64_t i = 0; i < count; ++i) {
      const EncodedExample& example = *examples[static_cast<std::size_t>(i)];
      targets.values.mutable_data<float>()[i] = example.source->values[0];
      targets.pairs.emplace_back(2 * i, 2 * i + 1);
    }
    targets.compared = rows_alone(count);
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return static_cast<double>(examples.size());
  }

  Variable loss(Context& context, const Variable& embeddings, const BatchTargets& targets,
                double normalizer) const override {
    Variable cosines =
        row_similarity(context, embeddings, Similarity::kCosine, targets.pairs, &targets.compared);
    return squared_error(context, cosines, targets.values, normalizer);
  }

  Json prediction(const ModelOutput& output) const override {
    Json json{{"similarity", pair_cosines({&output, 1})[0]}};
    if (!output.example->source->values.empty()) json["truth"] = output.example->source->values[0];
    return json;
  }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<float> truth = scores_of(outputs), found = pair_cosines(outputs);
    double error = mean_squared_error(truth, found);
    Json metrics{{"spearman", or_null(spearman(truth, found))},
                 {"pearson", or_null(pearson(truth, found))},
                 {"mse", error},
                 {"negative_mse", -error}};
    add_interval(metrics, "spearman", interval_of(truth, found, spearman));
    add_interval(metrics, "pearson", interval_of(truth, found, pearson));
    return metrics;
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    std::vector<float> truth = scores_of(outputs), found = pair_cosines(outputs);
    Json points = Json::array();
    Mistakes mistakes;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      points.push_back({truth[i], found[i]});
      mistakes.add({i, std::abs(double{truth[i]} - double{found[i]}),
                    fmt::format("{:.3g}", truth[i]), fmt::format("{:.3g}", found[i]),
                    std::nullopt});
    }
    return {{"scatter", {{"name", "similarity"}, {"points", points}}},
            {"mistakes", mistakes.details()}};
  }

 private:
  template <class Figure>
  static std::optional<Interval> interval_of(const std::vector<float>& truth,
                                             const std::vector<float>& found,
                                             const Figure& figure) {
    std::vector<float> some_truth(truth.size()), some_found(truth.size());
    auto of_rows = [&](std::span<const std::size_t> rows) -> std::optional<double> {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        some_truth[i] = truth[rows[i]];
        some_found[i] = found[rows[i]];
      }
      return figure(some_truth, some_found);
    };
    return bootstrap_interval(truth.size(), of_rows, {});
  }

  int64_t hidden_;
};

}  // namespace

const TaskInfo& task_sentence_similarity() {
  static const TaskInfo info{.name = "sentence-similarity",
                             .summary = "Embeddings whose cosine is the score of a pair of texts.",
                             .data = TaskKind::kScoredPairs,
                             .layer = OutputLayer::kPooling,
                             .problem_type = "",
                             .peft_type = "FEATURE_EXTRACTION",
                             .choosing_metrics = {"spearman", "pearson", "negative_mse"},
                             .headline = {"spearman", "pearson", "mse"},
                             .make = [](const std::vector<std::string>&, int64_t hidden,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<SentenceSimilarity>(hidden);
                             }};
  return info;
}

}  // namespace inlay
