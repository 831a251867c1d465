// Average precision of detected objects as COCO defines it (Lin et al. 2014; the rules are those of
// the reference evaluation, pycocotools' COCOeval, over all sizes of objects).
//
// Per class and threshold of intersection over union, the detections of all pictures go from the
// highest score down; each takes the free true box of its picture that it overlaps most, at least
// by the threshold. Precision over recall is made to fall monotonically, read at 101 recalls, and
// averaged. At most 100 detections of a class count in a picture.
//
//   std::vector<ScoredBox> found = non_maximum_suppression(std::move(candidates), 0.6, 100);
//   DetectionScores scores = detection_scores(pictures, classes.size());
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/dataset.h"

namespace inlay {

// In the unit of the boxes that it is compared with; shares of a picture give the same overlaps as
// pixels.
struct ScoredBox {
  std::int32_t class_id = -1;
  float score = 0;
  float left = 0, top = 0, right = 0, bottom = 0;
};

// Intersection over union; 0 where a box is empty. Of a crowd: over the found box's own area, as it
// may be a part of it.
double box_iou(const ScoredBox& a, const ScoredBox& b);
double box_iou(const ScoredBox& found, const ObjectBox& truth);

// The boxes by falling score (of equal ones the earlier first), without those that overlap a kept
// one of the same class by more than `iou`; at most `most` of them.
std::vector<ScoredBox> non_maximum_suppression(std::vector<ScoredBox> boxes, double iou,
                                               std::size_t most);

// What was found in a picture, in any order, and what is there.
struct DetectedImage {
  std::span<const ScoredBox> found;
  std::span<const ObjectBox> truth;
};

// Nothing where no class has a true box. Means are over the classes that have one, and, of `ap` and
// `average_recall`, over the thresholds 0.50, 0.55 … 0.95.
struct DetectionScores {
  std::optional<double> ap, ap50, ap75;
  std::optional<double> average_recall;         // with at most 100 detections of a class
  std::vector<std::optional<double>> class_ap;  // by class, over the thresholds
};

// A crowd is neither found nor missed: what lies in it counts neither way. A score that is not a
// number and a class outside of 0 to classes - 1 are internal errors.
DetectionScores detection_scores(std::span<const DetectedImage> images, std::size_t classes);

}  // namespace inlay
