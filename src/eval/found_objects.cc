#include "eval/found_objects.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "autograd/ops/box_loss.h"
#include "base/error.h"
#include "eval/detection_places.h"
#include "nn/detection_head.h"

namespace inlay {
namespace {

constexpr double kLeastScore = 0.02;
constexpr std::size_t kCandidates = 300;  // before suppression
constexpr std::size_t kMostBoxes = 100;   // after it
constexpr double kMostOverlap = 0.6;
constexpr std::size_t kNumbers = 6;

struct FoundBox {
  std::size_t place;
  int32_t class_id;
  float score;
};

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// The best of all places and classes, by falling score; of equal ones the earlier place.
std::vector<FoundBox> candidates_of(std::span<const float> logits, std::size_t classes) {
  std::size_t channels = classes + static_cast<std::size_t>(kBoxOutputs);
  std::vector<FoundBox> candidates;
  for (std::size_t place = 0; place * channels < logits.size(); ++place) {
    std::span<const float> row = logits.subspan(place * channels, channels);
    double centreness = sigmoid(row.back());
    for (std::size_t c = 0; c < classes; ++c) {
      double score = std::sqrt(sigmoid(row[c]) * centreness);
      if (score > kLeastScore)
        candidates.push_back({place, static_cast<int32_t>(c), static_cast<float>(score)});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const FoundBox& a, const FoundBox& b) { return a.score > b.score; });
  if (candidates.size() > kCandidates) candidates.resize(kCandidates);
  return candidates;
}

float share(double pixel, int64_t size) {
  return static_cast<float>(std::clamp(pixel / static_cast<double>(size), 0.0, 1.0));
}

// `sides` are logarithms of left, top, right and bottom in strides.
ScoredBox box_at(const DetectionPlace& place, std::span<const float> sides, MapSize picture) {
  auto side = [&](std::size_t i) {
    return static_cast<double>(std::exp(std::min(sides[i], static_cast<float>(kMostExponent)))) *
           place.stride();
  };
  return {.left = share(place.x - side(0), picture.width),
          .top = share(place.y - side(1), picture.height),
          .right = share(place.x + side(2), picture.width),
          .bottom = share(place.y + side(3), picture.height)};
}

// The true box of its class that a found one overlaps most and enough.
std::optional<std::size_t> best_match(const ScoredBox& box, std::span<const ObjectBox> truth,
                                      const std::vector<bool>& free) {
  std::optional<std::size_t> best;
  double overlap = kRightOverlap;
  for (std::size_t t = 0; t < truth.size(); ++t) {
    if (!free[t] || truth[t].class_id != box.class_id) continue;
    double own = box_iou(box, truth[t]);
    if (own < overlap || (best.has_value() && own == overlap)) continue;
    best = t;
    overlap = own;
  }
  return best;
}

bool in_crowd(const ScoredBox& box, std::span<const ObjectBox> truth) {
  return std::any_of(truth.begin(), truth.end(), [&](const ObjectBox& one) {
    return one.crowd && one.class_id == box.class_id && box_iou(box, one) >= kRightOverlap;
  });
}

}  // namespace

std::vector<ScoredBox> found_objects(std::span<const float> logits, int64_t classes,
                                     MapSize picture) {
  std::vector<DetectionPlace> places = detection_places(picture);
  auto count = static_cast<std::size_t>(classes);
  std::size_t channels = count + static_cast<std::size_t>(kBoxOutputs);
  ensure(logits.size() == places.size() * channels, "{} logits for {} places of {} outputs",
         logits.size(), places.size(), channels);
  std::vector<FoundBox> candidates = candidates_of(logits, count);
  std::vector<ScoredBox> boxes;
  boxes.reserve(candidates.size());
  for (const FoundBox& candidate : candidates) {
    ScoredBox box = box_at(places[candidate.place],
                           logits.subspan(candidate.place * channels + count, 4), picture);
    if (!(box.right > box.left && box.bottom > box.top)) continue;
    box.class_id = candidate.class_id;
    box.score = candidate.score;
    boxes.push_back(box);
  }
  return non_maximum_suppression(std::move(boxes), kMostOverlap, kMostBoxes);
}

std::vector<float> numbers_of_boxes(std::span<const ScoredBox> boxes) {
  std::vector<float> numbers;
  numbers.reserve(kNumbers * boxes.size());
  for (const ScoredBox& box : boxes) {
    numbers.insert(numbers.end(), {static_cast<float>(box.class_id), box.score, box.left, box.top,
                                   box.right, box.bottom});
  }
  return numbers;
}

std::vector<ScoredBox> boxes_of_numbers(std::span<const float> numbers) {
  std::vector<ScoredBox> boxes;
  boxes.reserve(numbers.size() / kNumbers);
  for (std::size_t i = 0; i + kNumbers <= numbers.size(); i += kNumbers) {
    boxes.push_back({static_cast<int32_t>(numbers[i]), numbers[i + 1], numbers[i + 2],
                     numbers[i + 3], numbers[i + 4], numbers[i + 5]});
  }
  return boxes;
}

ObjectMatches match_objects(std::span<const ScoredBox> found, std::span<const ObjectBox> truth) {
  std::vector<bool> free(truth.size());
  for (std::size_t t = 0; t < truth.size(); ++t) free[t] = !truth[t].crowd;
  ObjectMatches matches;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].score < kShownScore) continue;
    std::optional<std::size_t> match = best_match(found[i], truth, free);
    if (match.has_value()) {
      free[*match] = false;
      matches.right.push_back(i);
    } else if (!in_crowd(found[i], truth)) {
      matches.wrong.push_back(i);
    }
  }
  for (std::size_t t = 0; t < truth.size(); ++t) {
    if (free[t]) matches.missed.push_back(t);
  }
  return matches;
}

}  // namespace inlay
