// The objects in a picture, each with its class and its box: a detector after FCOS (Tian et al.
// 2019, arXiv:1904.01355, eq. 2) on maps of a frozen base. Its loss is the focal loss of the
// classes at all places, 1 - GIoU of the boxes at places that belong to one, weighed by their
// centreness, and the binary cross entropy of that centreness. Judged by COCO's average precision.
#include <algorithm>
#include <numeric>
#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/box_loss.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/focal_loss.h"
#include "autograd/ops/masked_bce.h"
#include "eval/detection_places.h"
#include "eval/found_objects.h"
#include "eval/image_examples.h"
#include "eval/metrics/detection.h"
#include "eval/optional_figure.h"
#include "eval/task.h"
#include "eval/task_details.h"
#include "nn/detection_head.h"

namespace inlay {
namespace {

constexpr double kFocalAlpha = 0.25, kFocalGamma = 2;
constexpr int64_t kSides = kBoxOutputs - 1;
constexpr std::size_t kMostPictures = 12;

// What would move, cover or mix objects: their boxes would be wrong.
void refuse_moving(const Augmentation& how) {
  for (const auto& [name, used] : {std::pair{"crop_scale", how.crop_scale < 1},
                                   std::pair{"randaugment_ops", how.randaugment_ops > 0},
                                   std::pair{"erasing", how.erasing > 0}}) {
    require(!used, ErrorKind::kUsage,
            "augment: {} would change where objects are; object-detection takes flip, brightness, "
            "contrast and saturation",
            name);
  }
  refuse_mixing(how, "object-detection");
}

MapSize size_of(const EncodedExample& example) { return example.tokens.pixels->size(); }

// As they are seen.
std::vector<ObjectBox> boxes_of(const EncodedExample& example) {
  std::vector<ObjectBox> boxes = example.source->boxes;
  if (!example.mirrored) return boxes;
  for (ObjectBox& box : boxes) {
    float left = 1 - box.right;
    box.right = 1 - box.left;
    box.left = left;
  }
  return boxes;
}

// Weights of a picture's places in the loss of boxes: their centreness over its mean, so that a
// picture counts as much as it has places, whatever else is in the batch.
void add_weights(const PlaceTargets& targets, std::vector<float>& weights) {
  double sum = 0;
  for (float centreness : targets.centreness) sum += std::max(centreness, 0.0f);
  double factor = sum > 0 ? static_cast<double>(targets.in_boxes) / sum : 0;
  weights.reserve(weights.size() + targets.centreness.size());
  for (float centreness : targets.centreness)
    weights.push_back(static_cast<float>(factor * std::max(centreness, 0.0f)));
}

class ObjectDetection : public Task {
 public:
  ObjectDetection(std::vector<std::string> classes, const TaskOptions& options)
      : classes_(std::move(classes)), colours_(options.augmentation), seed_(options.seed) {
    refuse_moving(options.augmentation);
    flip_ = std::exchange(colours_.flip, 0);
  }

  HeadKind head_kind() const override { return HeadKind::kDetection; }
  int64_t outputs() const override { return class_count() + kBoxOutputs; }

  std::optional<EncodedExample> posed(const EncodedExample& example,
                                      const Occasion& occasion) const override {
    if (occasion.kind != Occasion::Kind::kTraining) return std::nullopt;
    Stream stream(seed_, fmt::format("mirror/{}/{}", occasion.epoch, example.index));
    bool flips = static_cast<double>(stream.uniform(0)) < flip_;
    if (!colours_.any()) return flips ? std::optional(mirrored(example)) : std::nullopt;
    EncodedExample seen = augmented(example, colours_, seed_, occasion.epoch);
    return flips ? mirrored(seen) : std::move(seen);
  }

  // Values are the sides and the centreness of each place.
  BatchTargets targets(ExampleSpan examples) const override {
    BatchTargets batch;
    std::vector<float> values;
    for (const EncodedExample* example : examples) {
      PlaceTargets own = targets_of_places(boxes_of(*example), size_of(*example));
      batch.classes.insert(batch.classes.end(), own.classes.begin(), own.classes.end());
      add_weights(own, batch.weights);
      for (std::size_t place = 0; place < own.classes.size(); ++place) {
        values.insert(values.end(), own.sides[place].begin(), own.sides[place].end());
        values.push_back(own.centreness[place]);
      }
    }
    batch.values =
        Tensor::of<float>({static_cast<int64_t>(batch.classes.size()), kBoxOutputs}, values);
    return batch;
  }

  // Places that belong to a box.
  double loss_weight(ExampleSpan examples) const override {
    int64_t places = 0;
    for (const EncodedExample* example : examples)
      places += targets_of_places(boxes_of(*example), size_of(*example)).in_boxes;
    return static_cast<double>(std::max<int64_t>(places, 1));
  }

  Variable loss(Context& context, const Variable& logits, const BatchTargets& targets,
                double normalizer) const override {
    Variable known = context.tape.constant(targets.values, logits.row_space());
    Tensor sides = slice_channels(context, known, 0, kSides).value();
    Tensor centreness = slice_channels(context, known, kSides, 1).value();
    int64_t classes = class_count();
    Variable found = exponential(context, slice_channels(context, logits, classes, kSides));
    Variable losses = focal_loss(context, slice_channels(context, logits, 0, classes),
                                 targets.classes, kFocalAlpha, kFocalGamma, normalizer);
    losses = add(context, losses, giou_loss(context, found, sides, targets.weights, normalizer));
    Variable central = slice_channels(context, logits, classes + kSides, 1);
    return add(context, losses,
               masked_binary_cross_entropy(context, central, centreness, normalizer));
  }

  // The found boxes, six numbers each.
  std::vector<float> kept(const EncodedExample& example,
                          std::span<const float> logits) const override {
    return numbers_of_boxes(found_objects(logits, class_count(), size_of(example)));
  }

  Json prediction(const ModelOutput& output) const override {
    Json objects = Json::array(), truth = Json::array();
    for (const ScoredBox& box : boxes_of_numbers(output.values)) {
      if (box.score < kShownScore) continue;
      objects.push_back(
          {{"label", name_of(box.class_id)}, {"score", box.score}, {"box", from_corner(box)}});
    }
    for (const ObjectBox& box : output.example->source->boxes)
      truth.push_back({{"label", name_of(box.class_id)}, {"box", from_corner(box)}});
    Json json{{"objects", objects}};
    if (!truth.empty()) json["truth"] = truth;
    return json;
  }

  Json metrics(std::span<const ModelOutput> outputs) const override {
    std::vector<std::vector<ScoredBox>> found = found_in(outputs);
    std::vector<DetectedImage> images;
    images.reserve(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i)
      images.push_back({found[i], outputs[i].example->source->boxes});
    DetectionScores scores = detection_scores(images, classes_.size());
    return {{"ap", figure_or_null(scores.ap)},
            {"ap50", figure_or_null(scores.ap50)},
            {"ap75", figure_or_null(scores.ap75)},
            {"average_recall", figure_or_null(scores.average_recall)}};
  }

  // Of the boxes that people are shown: precision and recall by class, and the pictures with most
  // mistakes.
  Json details(std::span<const ModelOutput> outputs) const override {
    std::vector<std::vector<ScoredBox>> found = found_in(outputs);
    std::vector<PrecisionRecall> scores(classes_.size());
    std::vector<ObjectMatches> matches;
    matches.reserve(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<ObjectBox>& truth = outputs[i].example->source->boxes;
      matches.push_back(match_objects(found[i], truth));
      count(found[i], truth, matches.back(), scores);
    }
    Json pictures = Json::array();
    for (std::size_t i : worst_of(matches)) {
      pictures.push_back(
          {{"output", i},
           {"caption", outputs[i].example->source->text},
           {"boxes", drawn(found[i], outputs[i].example->source->boxes, matches[i])}});
    }
    return {{"classes", class_details(classes_, scores)}, {"pictures", pictures}};
  }

 private:
  int64_t class_count() const { return static_cast<int64_t>(classes_.size()); }
  const std::string& name_of(int32_t class_id) const {
    return classes_.at(static_cast<std::size_t>(class_id));
  }

  // Left, top, width, height, as COCO has boxes.
  template <class Box>
  static Json from_corner(const Box& box) {
    return Json::array({box.left, box.top, box.right - box.left, box.bottom - box.top});
  }

  static std::vector<std::vector<ScoredBox>> found_in(std::span<const ModelOutput> outputs) {
    std::vector<std::vector<ScoredBox>> found;
    found.reserve(outputs.size());
    for (const ModelOutput& output : outputs) found.push_back(boxes_of_numbers(output.values));
    return found;
  }

  static void count(std::span<const ScoredBox> found, std::span<const ObjectBox> truth,
                    const ObjectMatches& matches, std::vector<PrecisionRecall>& scores) {
    auto of = [&](int32_t class_id) -> PrecisionRecall& {
      return scores.at(static_cast<std::size_t>(class_id));
    };
    for (const ObjectBox& box : truth) of(box.class_id).support += box.crowd ? 0 : 1;
    for (std::size_t i : matches.right) {
      ++of(found[i].class_id).hits;
      ++of(found[i].class_id).predicted;
    }
    for (std::size_t i : matches.wrong) ++of(found[i].class_id).predicted;
  }

  // The pictures with most mistakes first; of equally many the earlier.
  static std::vector<std::size_t> worst_of(const std::vector<ObjectMatches>& matches) {
    std::vector<std::size_t> order(matches.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return matches[a].mistakes() > matches[b].mistakes();
    });
    order.resize(std::min(order.size(), kMostPictures));
    return order;
  }

  template <class Box>
  Json drawn(const Box& box, const Json& score, const char* kind) const {
    return {{"box", Json::array({box.left, box.top, box.right, box.bottom})},
            {"label", name_of(box.class_id)},
            {"score", score},
            {"kind", kind}};
  }

  Json drawn(std::span<const ScoredBox> found, std::span<const ObjectBox> truth,
             const ObjectMatches& matches) const {
    Json boxes = Json::array();
    for (std::size_t i : matches.right) boxes.push_back(drawn(found[i], found[i].score, "found"));
    for (std::size_t i : matches.wrong) boxes.push_back(drawn(found[i], found[i].score, "false"));
    for (std::size_t i : matches.missed) boxes.push_back(drawn(truth[i], Json(), "missed"));
    return boxes;
  }

  std::vector<std::string> classes_;
  Augmentation colours_;
  double flip_ = 0;
  uint64_t seed_;
};

}  // namespace

const TaskInfo& task_object_detection() {
  static const TaskInfo info{.name = "object-detection",
                             .summary = "The objects in a picture with their classes and boxes.",
                             .data = TaskKind::kImageBoxes,
                             .choosing_metrics = {"ap", "ap50"},
                             .headline = {"ap", "ap50", "ap75"},
                             .make = [](const std::vector<std::string>& classes, int64_t,
                                        const TaskOptions& options) -> std::unique_ptr<Task> {
                               return std::make_unique<ObjectDetection>(classes, options);
                             }};
  return info;
}

}  // namespace inlay
