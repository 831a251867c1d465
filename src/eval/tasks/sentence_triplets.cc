// Embeddings by triplets: an anchor must be closer to the text that goes with it than to the one
// that does not, by a margin (Schroff et al. 2015, eq. 2; sentence-transformers' TripletLoss).
#include "autograd/ops/margin_loss.h"
#include "eval/embeddings.h"
#include "eval/intervals.h"
#include "eval/statistics.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

// How much more alike the anchor is to the positive than to the negative.
double advantage(const ModelOutput& output, Similarity kind) {
  std::vector<std::span<const float>> texts = embeddings_of(output);
  return similarity(texts[0], texts[1], kind) - similarity(texts[0], texts[2], kind);
}

class SentenceTriplets : public Task {
 public:
  SentenceTriplets(int64_t hidden, const TaskOptions& options)
      : hidden_(hidden), distance_(options.distance), margin_(options.margin) {}

  int64_t outputs() const override { return hidden_; }

  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    auto count = static_cast<int64_t>(examples.size());
    for (int64_t t = 0; t < count; ++t) {
      targets.pairs.emplace_back(3 * t, 3 * t + 1);
      targets.pairs.emplace_back(3 * t, 3 * t + 2);
    }
    targets.compared = rows_alone(2 * count);
    targets.losses = rows_alone(count);
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return static_cast<double>(examples.size());
  }

  Variable loss(Context& context, const Variable& embeddings, const BatchTargets& targets,
                double normalizer) const override {
    Variable alike =
        row_similarity(context, embeddings, distance_, targets.pairs, &targets.compared);
    return margin_loss(context, alike, margin_, normalizer, &targets.losses);
  }

  Json prediction(const ModelOutput& output) const override {
    std::vector<std::span<const float>> texts = embeddings_of(output);
    double positive = similarity(texts[0], texts[1], Similarity::kCosine);
    double negative = similarity(texts[0], texts[2], Similarity::kCosine);
    return {{"similarity", positive},
            {"similarity_to_negative", negative},
            {"right", positive > negative}};
  }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    Json metrics = Json::object();
    auto n = static_cast<int64_t>(outputs.size());
    for (Similarity kind : {Similarity::kCosine, Similarity::kEuclidean}) {
      int64_t hits = 0;
      for (const ModelOutput& output : outputs) hits += advantage(output, kind) > 0 ? 1 : 0;
      std::string name = kind == Similarity::kCosine ? "cosine_accuracy" : "euclidean_accuracy";
      metrics[name] = static_cast<double>(hits) / static_cast<double>(n);
      add_interval(metrics, name, wilson_interval(hits, n));
    }
    double sum = 0;
    for (const ModelOutput& output : outputs) sum += advantage(output, Similarity::kCosine);
    metrics["mean_cosine_advantage"] = sum / static_cast<double>(n);
    return metrics;
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    Mistakes mistakes;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      double lead = advantage(outputs[i], Similarity::kCosine);
      if (lead > 0) continue;
      const Example& source = *outputs[i].example->source;
      mistakes.add({i, -lead, source.text_pair, source.further[0], std::nullopt});
    }
    return {{"mistakes", mistakes.details()}};
  }

 private:
  int64_t hidden_;
  Similarity distance_;
  double margin_;
};

}  // namespace

const TaskInfo& task_sentence_triplets() {
  static const TaskInfo info{
      .name = "sentence-triplets",
      .summary = "Embeddings closer to a text that goes with them than to one that does not.",
      .data = TaskKind::kTextTriplets,
      .layer = OutputLayer::kPooling,
      .problem_type = "",
      .peft_type = "FEATURE_EXTRACTION",
      .choosing_metrics = {"cosine_accuracy", "euclidean_accuracy", "mean_cosine_advantage"},
      .headline = {"cosine_accuracy", "euclidean_accuracy"},
      .make = [](const std::vector<std::string>&, int64_t hidden, const TaskOptions& options)
          -> std::unique_ptr<Task> { return std::make_unique<SentenceTriplets>(hidden, options); }};
  return info;
}

}  // namespace inlay
