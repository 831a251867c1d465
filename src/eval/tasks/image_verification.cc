// Whether two pictures show the same one, such as a person's face: embeddings trained to tell
// identities apart by an angular margin (Deng et al. 2019, arXiv:1801.07698), judged on pairs of
// identities that nobody trained on (eval/metrics/verification.h). A picture is embedded as it is
// and mirrored; the sum counts.
#include <algorithm>
#include <cmath>

#include "autograd/ops/arc_face.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/normalise_rows.h"
#include "eval/embedding_task.h"
#include "eval/image_examples.h"
#include "eval/intervals.h"
#include "eval/metrics/verification.h"
#include "eval/optional_figure.h"
#include "eval/statistics.h"

namespace inlay {
namespace {

constexpr double kScale = 64, kMargin = 0.5;  // s and m of the paper
constexpr std::size_t kPairsShown = 6;        // of each kind

// Of the mean of the folds, which stand for draws of pairs.
std::optional<Interval> interval_of_mean(const VerificationScores& scores) {
  if (!scores.accuracy.has_value()) return std::nullopt;
  double half = 1.96 * *scores.deviation / std::sqrt(static_cast<double>(scores.accuracies.size()));
  return Interval{std::max(0.0, *scores.accuracy - half), std::min(1.0, *scores.accuracy + half)};
}

void add_accepted(Json& metrics, const std::string& name, const std::optional<Accepted>& accepted) {
  metrics[name] = nullptr;
  if (!accepted.has_value()) return;
  metrics[name] = accepted->share();
  add_interval(metrics, name, wilson_interval(accepted->accepted, accepted->pairs));
}

VerificationScores scores_of(std::span<const ModelOutput> outputs) {
  std::vector<float> embeddings;
  std::vector<int32_t> identities;
  embeddings.reserve(outputs.empty() ? 0 : outputs.size() * outputs[0].values.size());
  identities.reserve(outputs.size());
  for (const ModelOutput& output : outputs) {
    embeddings.insert(embeddings.end(), output.values.begin(), output.values.end());
    identities.push_back(output.example->source->class_id);
  }
  return verification_scores(embeddings, identities, {});
}

// Those that are hardest to tell: of one identity the farthest, of two the nearest.
void add_worst(Json& shown, std::vector<VerificationPair> pairs, bool same) {
  std::stable_sort(pairs.begin(), pairs.end(),
                   [same](const VerificationPair& a, const VerificationPair& b) {
                     return same ? a.distance > b.distance : a.distance < b.distance;
                   });
  pairs.resize(std::min(pairs.size(), kPairsShown));
  for (const VerificationPair& pair : pairs) {
    shown.push_back({{"outputs", Json::array({pair.first, pair.second})},
                     {"same", same},
                     {"distance", pair.distance}});
  }
}

class ImageVerification : public Task {
 public:
  ImageVerification(std::size_t classes, const TaskOptions& options)
      : classes_(classes), augmentation_(options.augmentation), seed_(options.seed) {
    refuse_mixing(augmentation_, "image-verification");
  }

  HeadKind head_kind() const override { return HeadKind::kVerification; }
  int64_t outputs() const override { return static_cast<int64_t>(classes_); }

  std::optional<EncodedExample> posed(const EncodedExample& example,
                                      const Occasion& occasion) const override {
    if (occasion.kind == Occasion::Kind::kTraining) {
      if (!augmentation_.any()) return std::nullopt;
      return augmented(example, augmentation_, seed_, occasion.epoch);
    }
    EncodedExample both = example;
    both.further = {mirrored(example).tokens};
    return both;
  }

  // Identities that have no class of the head, as those of a test part, do not count.
  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets targets;
    targets.classes.reserve(examples.size());
    for (const EncodedExample* example : examples) {
      int32_t id = example->source->class_id;
      bool known = id >= 0 && id < outputs();
      targets.classes.insert(targets.classes.end(), example->sequence_count(),
                             known ? id : kIgnoredLabel);
    }
    return targets;
  }

  double loss_weight(ExampleSpan examples) const override {
    std::vector<int32_t> classes = targets(examples).classes;
    auto ignored = std::count(classes.begin(), classes.end(), kIgnoredLabel);
    return std::max(1.0, static_cast<double>(static_cast<int64_t>(classes.size()) - ignored));
  }

  Variable loss(Context& context, const Variable& outputs_of_head, const BatchTargets& targets,
                double normalizer) const override {
    Variable cosines =
        slice_channels(context, outputs_of_head, outputs_of_head.channels() - outputs(), outputs());
    return arc_face_loss(context, cosines, targets.classes, kScale, kMargin, normalizer);
  }

  // The embedding: the sum of those of the picture's views, at length 1.
  std::vector<float> kept(const EncodedExample& example,
                          std::span<const float> logits) const override {
    std::size_t views = example.sequence_count(), row = logits.size() / views;
    require(row > classes_, ErrorKind::kInput,
            "the head gives {} numbers for a picture, and its adapter names {} classes; expected "
            "an embedding before the cosines",
            row, classes_);
    std::vector<float> sum(row - classes_);
    double square = 0;
    for (std::size_t c = 0; c < sum.size(); ++c) {
      for (std::size_t view = 0; view < views; ++view) sum[c] += logits[view * row + c];
      square += double{sum[c]} * double{sum[c]};
    }
    double length = std::max(kLeastLength, std::sqrt(square));
    for (float& value : sum) value = static_cast<float>(value / length);
    return sum;
  }

  Json prediction(const ModelOutput& output) const override { return embedding_prediction(output); }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    VerificationScores scores = scores_of(outputs);
    Json metrics{{"accuracy", figure_or_null(scores.accuracy)},
                 {"roc_auc", figure_or_null(scores.roc_auc)},
                 {"same_pairs", scores.same.size()},
                 {"different_pairs", scores.different.size()}};
    add_interval(metrics, "accuracy", interval_of_mean(scores));
    add_accepted(metrics, "tar_at_far_0.001", scores.at_thousandth);
    add_accepted(metrics, "tar_at_far_0.01", scores.at_hundredth);
    return metrics;
  }

  Json details(std::span<const ModelOutput> outputs) const override {
    VerificationScores scores = scores_of(outputs);
    Json pairs = Json::array();
    add_worst(pairs, scores.same, true);
    add_worst(pairs, scores.different, false);
    if (pairs.empty()) return Json::object();
    return {{"pairs", pairs}};
  }

 private:
  std::size_t classes_;
  Augmentation augmentation_;
  uint64_t seed_;
};

}  // namespace

const TaskInfo& task_image_verification() {
  static const TaskInfo info{
      .name = "image-verification",
      .summary = "Whether two pictures show the same identity, by embeddings.",
      .data = TaskKind::kImageIdentity,
      .problem_type = "",
      .choosing_metrics = {"accuracy", "roc_auc"},
      .headline = {"accuracy", "tar_at_far_0.001", "tar_at_far_0.01", "roc_auc"},
      .make = [](const std::vector<std::string>& classes, int64_t,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        return std::make_unique<ImageVerification>(classes.size(), options);
      }};
  return info;
}

}  // namespace inlay
