// Embeddings of texts that go together, trained so that each finds its own among all of the batch:
// in-batch negatives (Henderson et al. 2017, section 4; sentence-transformers'
// MultipleNegativesRankingLoss). Further texts of a row are hard negatives. Judged by how often the
// right text is among the first k of all that are evaluated.
#include <cmath>

#include "autograd/ops/scale.h"
#include "eval/embeddings.h"
#include "eval/intervals.h"
#include "eval/statistics.h"
#include "eval/task_details.h"

namespace inlay {
namespace {

// The texts of a batch that an anchor may belong to.
struct RightSentence {
  int64_t row;
  const TokenSequence* tokens;
};

class SentenceRetrieval : public Task {
 public:
  SentenceRetrieval(int64_t hidden, const TaskOptions& options)
      : hidden_(hidden), scale_(options.similarity_scale) {}

  int64_t outputs() const override { return hidden_; }
  bool couples_batch() const override { return true; }

  // A group per anchor: itself with its own text, then with all others of the batch but those of
  // the same tokens, which would be no mistakes.
  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    targets.groups.offsets = {0};
    std::vector<RightSentence> candidates;
    std::vector<std::size_t> own;
    std::vector<int64_t> anchors;
    own.reserve(examples.size());
    anchors.reserve(examples.size());
    int64_t row = 0;
    for (const EncodedExample* example : examples) {
      anchors.push_back(row++);
      own.push_back(candidates.size());
      for (const TokenSequence& text : example->further) candidates.push_back({row++, &text});
    }
    for (std::size_t a = 0; a < anchors.size(); ++a) {
      const RightSentence& right = candidates[own[a]];
      targets.pairs.emplace_back(anchors[a], right.row);
      for (const RightSentence& other : candidates) {
        if (other.tokens->ids != right.tokens->ids)
          targets.pairs.emplace_back(anchors[a], other.row);
      }
      targets.groups.offsets.push_back(static_cast<int64_t>(targets.pairs.size()));
      targets.groups.rows.push_back(0);
    }
    targets.compared = rows_alone(static_cast<int64_t>(targets.pairs.size()));
    targets.losses = rows_alone(static_cast<int64_t>(anchors.size()));
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    return static_cast<double>(examples.size());
  }

  Variable loss(Context& context, const Variable& embeddings, const BatchTargets& targets,
                double normalizer) const override {
    Variable cosines =
        row_similarity(context, embeddings, Similarity::kCosine, targets.pairs, &targets.compared);
    return group_cross_entropy(context, scale(context, cosines, scale_), targets.groups, normalizer,
                               &targets.losses);
  }

  Json prediction(const ModelOutput& output) const override {
    std::vector<std::span<const float>> texts = embeddings_of(output);
    Json json{{"similarity", similarity(texts[0], texts[1], Similarity::kCosine)}};
    for (std::size_t i = 2; i < texts.size(); ++i) {
      json["similarity_to_negatives"].push_back(
          similarity(texts[0], texts[i], Similarity::kCosine));
    }
    return json;
  }

  // The intervals take the texts that are searched as given: they are about further anchors.
  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<int64_t> ranks = retrieval_ranks(outputs);
    auto n = static_cast<int64_t>(ranks.size());
    Json metrics = Json::object();
    for (int64_t k : {1, 5, 10}) {
      int64_t hits = 0;
      for (int64_t rank : ranks) hits += rank <= k ? 1 : 0;
      std::string name = fmt::format("recall_at_{}", k);
      metrics[name] = static_cast<double>(hits) / static_cast<double>(n);
      add_interval(metrics, name, wilson_interval(hits, n));
    }
    auto reciprocal = [&](std::span<const std::size_t> rows) -> std::optional<double> {
      double sum = 0;
      for (std::size_t row : rows) sum += 1 / static_cast<double>(ranks[row]);
      return sum / static_cast<double>(rows.size());
    };
    double sum = 0;
    for (int64_t rank : ranks) sum += 1 / static_cast<double>(rank);
    metrics["mean_reciprocal_rank"] = sum / static_cast<double>(n);
    add_interval(metrics, "mean_reciprocal_rank", bootstrap_interval(ranks.size(), reciprocal, {}));
    return metrics;
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    std::vector<int64_t> ranks = retrieval_ranks(outputs);
    Mistakes mistakes;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      if (ranks[i] == 1) continue;
      mistakes.add({i, static_cast<double>(ranks[i]), "rank 1", fmt::format("rank {}", ranks[i]),
                    std::nullopt});
    }
    return {{"mistakes", mistakes.details()}};
  }

 private:
  int64_t hidden_;
  double scale_;
};

}  // namespace

const TaskInfo& task_sentence_retrieval() {
  static const TaskInfo info{
      .name = "sentence-retrieval",
      .summary = "Embeddings of texts that go together, by in-batch negatives.",
      .data = TaskKind::kTextPairs,
      .layer = OutputLayer::kPooling,
      .problem_type = "",
      .peft_type = "FEATURE_EXTRACTION",
      .choosing_metrics = {"mean_reciprocal_rank", "recall_at_1", "recall_at_5", "recall_at_10"},
      .headline = {"recall_at_1", "recall_at_5", "recall_at_10", "mean_reciprocal_rank"},
      .make = [](const std::vector<std::string>&, int64_t hidden,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        return std::make_unique<SentenceRetrieval>(hidden, options);
      }};
  return info;
}

}  // namespace inlay
