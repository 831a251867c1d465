#include "autograd/ops/resize_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "autograd/ops/mixed_rows.h"

namespace inlay {
namespace {

constexpr std::size_t kTaps = 4;  // of the filter in one direction
constexpr double kSlope = -0.75;  // of the filter at distance 1: Keys' a

// Keys' filter of any a:
//   (a + 2) t^3 - (a + 3) t^2 + 1       for t <= 1
//   a t^3 - 5 a t^2 + 8 a t - 4 a       for 1 < t < 2
double cubic(double distance) {
  double t = std::fabs(distance);
  if (t <= 1) return ((kSlope + 2) * t - (kSlope + 3)) * t * t + 1;
  return t < 2 ? ((kSlope * t - 5 * kSlope) * t + 8 * kSlope) * t - 4 * kSlope : 0;
}

using LineReads = std::array<kernels::RowRead, kTaps>;

// What each of `to` places in one direction reads of `from` places, whose middles are at halves.
std::vector<LineReads> reads_of_line(int64_t from, int64_t to) {
  std::vector<LineReads> reads(static_cast<std::size_t>(to));
  double step = static_cast<double>(from) / static_cast<double>(to);
  for (std::size_t place = 0; place < reads.size(); ++place) {
    double middle = (static_cast<double>(place) + 0.5) * step - 0.5;
    int64_t next = static_cast<int64_t>(std::floor(middle)) - 1;
    for (kernels::RowRead& read : reads[place]) {
      read = {std::clamp<int64_t>(next, 0, from - 1), cubic(middle - static_cast<double>(next))};
      ++next;
    }
  }
  return reads;
}

// `before` rows as they are, then the places of the new map.
kernels::RowMixture mixture_of(MapSize from, MapSize to, int64_t before) {
  kernels::RowMixture mixture;
  for (int64_t row = 0; row < before; ++row) {
    const kernels::RowRead itself{row, 1};
    mixture.add({&itself, 1});
  }
  const std::vector<LineReads> lines = reads_of_line(from.height, to.height);
  const std::vector<LineReads> columns = reads_of_line(from.width, to.width);
  std::array<kernels::RowRead, kTaps * kTaps> reads;
  for (const LineReads& line : lines) {
    for (const LineReads& column : columns) {
      std::size_t tap = 0;
      for (const kernels::RowRead& y : line) {
        for (const kernels::RowRead& x : column)
          reads[tap++] = {before + y.row * from.width + x.row, y.weight * x.weight};
      }
      mixture.add(reads);
    }
  }
  return mixture;
}

void ensure_maps(const RowSpace& space) {
  ensure(space.map.places() > 0 &&
             space.rows() == space.examples() * (space.before_map + space.map.places()),
         "{} rows of {} examples are no maps of {} x {} after {} rows", space.rows(),
         space.examples(), space.map.height, space.map.width, space.before_map);
}

}  // namespace

Variable resize_map(OpContext& context, const Variable& x, const RowSpace* rows) {
  const RowSpace& own = *x.row_space();
  ensure_maps(own);
  ensure_maps(*rows);
  ensure(own.examples() == rows->examples() && own.before_map == rows->before_map,
         "maps of {} examples after {} rows cannot become those of {} after {}", own.examples(),
         own.before_map, rows->examples(), rows->before_map);
  return mixed_rows(context, x, mixture_of(own.map, rows->map, own.before_map), rows);
}

}  // namespace inlay
