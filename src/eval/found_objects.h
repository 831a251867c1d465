// Boxes out of a detector's outputs, and what of them is right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/row_space.h"
#include "eval/metrics/detection.h"

namespace inlay {

// From logits (places, classes + kBoxOutputs) of one picture, as nn/detection_head.h orders them:
// the score is the geometric mean of the probabilities of class and centreness (FCOS, section 3.3,
// under the root of its later version), the best boxes go through non-maximum suppression per
// class. By falling score, in shares of the picture, clipped to it.
std::vector<ScoredBox> found_objects(std::span<const float> logits, int64_t classes,
                                     MapSize picture);

// Boxes as numbers (n, 6): class, score, left, top, right, bottom; and back.
std::vector<float> numbers_of_boxes(std::span<const ScoredBox> boxes);
std::vector<ScoredBox> boxes_of_numbers(std::span<const float> numbers);

// From which score on a box is shown to people, and the overlap from which it is right.
inline constexpr double kShownScore = 0.3, kRightOverlap = 0.5;

// The boxes of kShownScore and above against the truth: by falling score each takes the free true
// box of its class that it overlaps most. One that takes none is wrong, unless it lies in a crowd.
// Indices of the boxes and of the truth.
struct ObjectMatches {
  std::vector<std::size_t> right, wrong, missed;

  std::size_t mistakes() const { return wrong.size() + missed.size(); }
};
ObjectMatches match_objects(std::span<const ScoredBox> found, std::span<const ObjectBox> truth);

}  // namespace inlay
