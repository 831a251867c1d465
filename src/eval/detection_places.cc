#include "eval/detection_places.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/losses.h"

namespace inlay {
namespace {

constexpr double kCentreRadius = 1.5;  // strides
// The furthest side that a level looks for, in pixels.
constexpr std::array<double, kLevelStrides.size()> kReach = {
    64, 128, std::numeric_limits<double>::infinity()};

using Sides = std::array<double, 4>;  // left, top, right, bottom

struct PixelBox {
  double left, top, right, bottom;
  const ObjectBox& object;

  double area() const { return (right - left) * (bottom - top); }
};

std::vector<PixelBox> in_pixels(std::span<const ObjectBox> boxes, MapSize picture) {
  auto width = static_cast<double>(picture.width), height = static_cast<double>(picture.height);
  std::vector<PixelBox> scaled;
  scaled.reserve(boxes.size());
  for (const ObjectBox& box : boxes)
    scaled.push_back(
        {box.left * width, box.top * height, box.right * width, box.bottom * height, box});
  return scaled;
}

Sides sides_from(const DetectionPlace& place, const PixelBox& box) {
  return {place.x - box.left, place.y - box.top, box.right - place.x, box.bottom - place.y};
}

bool inside(const Sides& sides) { return *std::min_element(sides.begin(), sides.end()) > 0; }

bool belongs(const DetectionPlace& place, const PixelBox& box, const Sides& sides) {
  double furthest = *std::max_element(sides.begin(), sides.end());
  double nearest = place.level == 0 ? 0 : kReach.at(place.level - 1);
  double radius = kCentreRadius * place.stride();
  return inside(sides) && furthest > nearest && furthest <= kReach.at(place.level) &&
         std::fabs(place.x - (box.left + box.right) / 2) < radius &&
         std::fabs(place.y - (box.top + box.bottom) / 2) < radius;
}

// sqrt(min(l, r) / max(l, r) min(t, b) / max(t, b)), eq. 3
double centreness_of(const Sides& sides) {
  auto [left, top, right, bottom] = sides;
  return std::sqrt(std::min(left, right) / std::max(left, right) * std::min(top, bottom) /
                   std::max(top, bottom));
}

// The smallest box that the place belongs to, the first of equal ones; null without one.
const PixelBox* box_of(const DetectionPlace& place, std::span<const PixelBox> boxes) {
  const PixelBox* smallest = nullptr;
  for (const PixelBox& box : boxes) {
    if (box.object.crowd || !belongs(place, box, sides_from(place, box))) continue;
    if (smallest == nullptr || box.area() < smallest->area()) smallest = &box;
  }
  return smallest;
}

bool in_crowd(const DetectionPlace& place, std::span<const PixelBox> boxes) {
  return std::any_of(boxes.begin(), boxes.end(), [&](const PixelBox& box) {
    return box.object.crowd && inside(sides_from(place, box));
  });
}

}  // namespace

void require_detection_size(MapSize picture) {
  int64_t unit = kLevelStrides.back();
  auto fits = [&](int64_t side) { return side >= unit && side % unit == 0; };
  require(fits(picture.height) && fits(picture.width), ErrorKind::kUsage,
          "a detector reads pictures whose sides are multiples of {}, and these are {} x {}; give "
          "an image_size such as {}",
          unit, picture.height, picture.width,
          std::max(unit, (picture.width + unit / 2) / unit * unit));
}

std::array<MapSize, kLevelStrides.size()> level_maps(MapSize picture) {
  std::array<MapSize, kLevelStrides.size()> maps;
  for (std::size_t level = 0; level < maps.size(); ++level) {
    maps.at(level) = {picture.height / kLevelStrides.at(level),
                      picture.width / kLevelStrides.at(level)};
  }
  return maps;
}

std::vector<DetectionPlace> detection_places(MapSize picture) {
  require_detection_size(picture);
  std::array<MapSize, kLevelStrides.size()> maps = level_maps(picture);
  int64_t count = 0;
  for (const MapSize& map : maps) count += map.places();
  std::vector<DetectionPlace> places;
  places.reserve(static_cast<std::size_t>(count));
  for (std::size_t level = 0; level < maps.size(); ++level) {
    auto stride = static_cast<double>(kLevelStrides.at(level));
    for (int64_t line = 0; line < maps.at(level).height; ++line) {
      for (int64_t column = 0; column < maps.at(level).width; ++column) {
        places.push_back({(static_cast<double>(column) + 0.5) * stride,
                          (static_cast<double>(line) + 0.5) * stride, level});
      }
    }
  }
  return places;
}

PlaceTargets targets_of_places(std::span<const ObjectBox> boxes, MapSize picture) {
  std::vector<DetectionPlace> places = detection_places(picture);
  std::vector<PixelBox> scaled = in_pixels(boxes, picture);
  PlaceTargets targets;
  targets.classes.assign(places.size(), -1);
  targets.sides.assign(places.size(), {1, 1, 1, 1});
  targets.centreness.assign(places.size(), -1);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const PixelBox* box = box_of(places[i], scaled);
    if (box == nullptr) {
      if (in_crowd(places[i], scaled)) targets.classes[i] = kIgnoredLabel;
      continue;
    }
    Sides sides = sides_from(places[i], *box);
    targets.classes[i] = box->object.class_id;
    for (std::size_t side = 0; side < sides.size(); ++side)
      targets.sides[i].at(side) = static_cast<float>(sides.at(side) / places[i].stride());
    targets.centreness[i] = static_cast<float>(centreness_of(sides));
    ++targets.in_boxes;
  }
  return targets;
}

}  // namespace inlay
