// Where a detector looks in a picture, and what it is to say there. Its maps have strides of 8, 16
// and 32 pixels; a place is the middle of a cell of one of them. Which box a place belongs to
// follows FCOS (Tian et al. 2019, arXiv:1904.01355, sections 3.1 to 3.3, with its later centre
// sampling):
//
//   - the place lies inside of the box and within 1.5 strides of its middle;
//   - the furthest side is within the reach of the map: up to 64 pixels, 128, and any further;
//   - of several such boxes it is the smallest.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/row_space.h"
#include "data/dataset.h"

namespace inlay {

inline constexpr std::array<int64_t, 3> kLevelStrides = {8, 16, 32};

// kUsage for a picture whose sides are not multiples of the largest stride.
void require_detection_size(MapSize picture);

// The map of each level. REQUIRES: require_detection_size() holds.
std::array<MapSize, kLevelStrides.size()> level_maps(MapSize picture);

struct DetectionPlace {
  double x = 0, y = 0;  // pixels
  std::size_t level = 0;

  double stride() const { return static_cast<double>(kLevelStrides.at(level)); }
};

// Level by level, line by line, as the rows of detection_logits(). kUsage as
// require_detection_size().
std::vector<DetectionPlace> detection_places(MapSize picture);

// By place.
struct PlaceTargets {
  std::vector<int32_t> classes;  // -1: background; kIgnoredLabel: in a crowd and in no other box
  std::vector<std::array<float, 4>> sides;  // left, top, right, bottom in strides; 1 without a box
  std::vector<float> centreness;            // eq. 3, above 0; -1 without a box
  int64_t in_boxes = 0;                     // places that belong to one
};

PlaceTargets targets_of_places(std::span<const ObjectBox> boxes, MapSize picture);

}  // namespace inlay
