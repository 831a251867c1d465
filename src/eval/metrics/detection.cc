#include "eval/metrics/detection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

constexpr std::size_t kMostFound = 100;  // of a class in a picture
constexpr std::size_t kThresholds = 10, kAt50 = 0, kAt75 = 5;
constexpr std::size_t kRecalls = 101;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// 0.50 to 0.95, with the rounding of numpy's linspace, as are the recalls below.
double threshold_at(std::size_t i) {
  return i + 1 == kThresholds ? 0.95 : static_cast<double>(i) * ((0.95 - 0.5) / 9) + 0.5;
}
double recall_at(std::size_t i) { return static_cast<double>(i) * 0.01; }

template <class Box>
double area(const Box& box) {
  return std::max(0.0, double{box.right} - double{box.left}) *
         std::max(0.0, double{box.bottom} - double{box.top});
}

template <class A, class B>
double common_area(const A& a, const B& b) {
  double width = double{std::min(a.right, b.right)} - double{std::max(a.left, b.left)};
  double height = double{std::min(a.bottom, b.bottom)} - double{std::max(a.top, b.top)};
  return std::max(0.0, width) * std::max(0.0, height);
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

bool scores_higher(const ScoredBox& a, const ScoredBox& b) { return a.score > b.score; }

void sort_by_score(std::vector<ScoredBox>& boxes) {
  for (const ScoredBox& box : boxes) ensure(!std::isnan(box.score), "a box's score is no number");
  std::stable_sort(boxes.begin(), boxes.end(), scores_higher);
}

enum class Verdict { kTrue, kFalse, kIgnored };

// What was found and what is there of one class in one picture.
class ClassInImage {
 public:
  ClassInImage(const DetectedImage& image, std::int32_t id) {
    for (const ScoredBox& box : image.found)
      if (box.class_id == id) found_.push_back(box);
    sort_by_score(found_);
    if (found_.size() > kMostFound) found_.resize(kMostFound);
    for (const ObjectBox& box : image.truth)
      if (box.class_id == id) truth_.push_back(box);
    std::stable_sort(truth_.begin(), truth_.end(),
                     [](const ObjectBox& a, const ObjectBox& b) { return !a.crowd && b.crowd; });
    overlaps_.reserve(found_.size() * truth_.size());
    for (const ScoredBox& found : found_)
      for (const ObjectBox& truth : truth_) overlaps_.push_back(box_iou(found, truth));
  }

  const std::vector<ScoredBox>& found() const { return found_; }  // by falling score
  std::size_t objects() const {
    auto real = std::count_if(truth_.begin(), truth_.end(),
                              [](const ObjectBox& box) { return !box.crowd; });
    return static_cast<std::size_t>(real);
  }

  // Of each found box, at this threshold of overlap.
  std::vector<Verdict> verdicts(double threshold) const {
    std::vector<Verdict> verdicts;
    verdicts.reserve(found_.size());
    std::vector<bool> taken(truth_.size());
    for (std::size_t f = 0; f < found_.size(); ++f) {
      std::size_t match = match_of(f, threshold, taken);
      if (match != kNone) taken[match] = true;
      Verdict of_match = match != kNone && truth_[match].crowd ? Verdict::kIgnored : Verdict::kTrue;
      verdicts.push_back(match == kNone ? Verdict::kFalse : of_match);
    }
    return verdicts;
  }

 private:
  // The free true box that overlaps most, of equal ones the last; a crowd, which is always free,
  // only where there is no other.
  std::size_t match_of(std::size_t f, double threshold, const std::vector<bool>& taken) const {
    double most = std::min(threshold, 1 - 1e-10);
    std::size_t match = kNone;
    for (std::size_t t = 0; t < truth_.size(); ++t) {
      if (taken[t] && !truth_[t].crowd) continue;
      if (match != kNone && !truth_[match].crowd && truth_[t].crowd) break;
      double overlap = overlaps_[f * truth_.size() + t];
      if (overlap < most) continue;
      most = overlap;
      match = t;
    }
    return match;
  }

  std::vector<ScoredBox> found_;
  std::vector<ObjectBox> truth_;  // crowds last
  std::vector<double> overlaps_;  // (found, truth)
};

struct Curve {
  double precision = 0;  // the mean over the recalls
  double recall = 0;     // the last
};

// From the verdicts by falling score.
Curve curve_of(const std::vector<Verdict>& verdicts, std::size_t objects) {
  std::vector<double> precision, recall;
  precision.reserve(verdicts.size());
  recall.reserve(verdicts.size());
  std::size_t right = 0, all = 0;
  for (Verdict verdict : verdicts) {
    if (verdict == Verdict::kIgnored) continue;
    right += verdict == Verdict::kTrue ? 1 : 0;
    ++all;
    precision.push_back(static_cast<double>(right) / static_cast<double>(all));
    recall.push_back(static_cast<double>(right) / static_cast<double>(objects));
  }
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  Curve curve{.recall = recall.empty() ? 0.0 : recall.back()};
  for (std::size_t r = 0, at = 0; r < kRecalls; ++r) {
    while (at < recall.size() && recall[at] < recall_at(r)) ++at;
    if (at < recall.size()) curve.precision += precision[at];
  }
  curve.precision /= static_cast<double>(kRecalls);
  return curve;
}

// One class in all pictures.
class ClassInImages {
 public:
  ClassInImages(std::span<const DetectedImage> images, std::int32_t id) {
    images_.reserve(images.size());
    std::vector<float> scores;
    for (const DetectedImage& image : images) {
      images_.emplace_back(image, id);
      objects_ += images_.back().objects();
      for (const ScoredBox& box : images_.back().found()) scores.push_back(box.score);
    }
    by_score_.resize(scores.size());
    std::iota(by_score_.begin(), by_score_.end(), std::size_t{0});
    std::stable_sort(by_score_.begin(), by_score_.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  }

  std::size_t objects() const { return objects_; }

  Curve curve(double threshold) const {
    std::vector<Verdict> verdicts, ordered;
    verdicts.reserve(by_score_.size());
    ordered.reserve(by_score_.size());
    for (const ClassInImage& image : images_) {
      std::vector<Verdict> own = image.verdicts(threshold);
      verdicts.insert(verdicts.end(), own.begin(), own.end());
    }
    for (std::size_t place : by_score_) ordered.push_back(verdicts[place]);
    return curve_of(ordered, objects_);
  }

 private:
  std::vector<ClassInImage> images_;
  std::vector<std::size_t> by_score_;  // places in the found boxes of all pictures
  std::size_t objects_ = 0;            // crowds not counted
};

void check_classes(std::span<const DetectedImage> images, std::size_t classes) {
  auto known = [classes](const auto& box) {
    return box.class_id >= 0 && static_cast<std::size_t>(box.class_id) < classes;
  };
  for (const DetectedImage& image : images) {
    bool all = std::all_of(image.found.begin(), image.found.end(), known) &&
               std::all_of(image.truth.begin(), image.truth.end(), known);
    ensure(all, "a box of a class that is none of the {}", classes);
  }
}

}  // namespace

double box_iou(const ScoredBox& a, const ScoredBox& b) {
  double common = common_area(a, b);
  return share(common, area(a) + area(b) - common);
}

double box_iou(const ScoredBox& found, const ObjectBox& truth) {
  double common = common_area(found, truth);
  return share(common, truth.crowd ? area(found) : area(found) + area(truth) - common);
}

std::vector<ScoredBox> non_maximum_suppression(std::vector<ScoredBox> boxes, double iou,
                                               std::size_t most) {
  sort_by_score(boxes);
  std::vector<ScoredBox> kept;
  kept.reserve(std::min(boxes.size(), most));
  for (const ScoredBox& box : boxes) {
    if (kept.size() == most) break;
    bool covered = std::any_of(kept.begin(), kept.end(), [&](const ScoredBox& other) {
      return other.class_id == box.class_id && box_iou(other, box) > iou;
    });
    if (!covered) kept.push_back(box);
  }
  return kept;
}

DetectionScores detection_scores(std::span<const DetectedImage> images, std::size_t classes) {
  check_classes(images, classes);
  DetectionScores scores;
  scores.class_ap.resize(classes);
  std::array<double, kThresholds> precision{}, recall{};  // sums over the classes
  std::size_t counted = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    ClassInImages of_class(images, static_cast<std::int32_t>(c));
    if (of_class.objects() == 0) continue;
    ++counted;
    double sum = 0;
    for (std::size_t t = 0; t < kThresholds; ++t) {
      Curve curve = of_class.curve(threshold_at(t));
      precision[t] += curve.precision;
      recall[t] += curve.recall;
      sum += curve.precision;
    }
    scores.class_ap[c] = sum / static_cast<double>(kThresholds);
  }
  if (counted == 0) return scores;
  auto mean = [counted](double sum) { return sum / static_cast<double>(counted); };
  auto total = [](const std::array<double, kThresholds>& sums) {
    return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(kThresholds);
  };
  scores.ap = mean(total(precision));
  scores.ap50 = mean(precision[kAt50]);
  scores.ap75 = mean(precision[kAt75]);
  scores.average_recall = mean(total(recall));
  return scores;
}

}  // namespace inlay
