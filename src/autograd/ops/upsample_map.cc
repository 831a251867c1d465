#include "autograd/ops/upsample_map.h"

#include <utility>

#include "autograd/ops/mixed_rows.h"

namespace inlay {
namespace {

constexpr int64_t kFactor = 2;

kernels::RowMixture mixture_of(MapSize from, MapSize to) {
  kernels::RowMixture mixture;
  for (int64_t line = 0; line < to.height; ++line) {
    for (int64_t column = 0; column < to.width; ++column) {
      const kernels::RowRead read{line / kFactor * from.width + column / kFactor, 1};
      mixture.add({&read, 1});
    }
  }
  return mixture;
}

void ensure_maps(const RowSpace& space) {
  ensure(space.map.places() > 0 && space.rows() == space.examples() * space.map.places(),
         "{} rows of {} examples are no maps of {} x {}", space.rows(), space.examples(),
         space.map.height, space.map.width);
}

}  // namespace

Variable upsample_map(OpContext& context, const Variable& x, const RowSpace* rows) {
  const RowSpace& own = *x.row_space();
  ensure_maps(own);
  ensure_maps(*rows);
  ensure(own.examples() == rows->examples() && rows->map.height <= kFactor * own.map.height &&
             rows->map.width <= kFactor * own.map.width,
         "{} maps of {} x {} cannot become {} of {} x {} by doubling", own.examples(),
         own.map.height, own.map.width, rows->examples(), rows->map.height, rows->map.width);
  return mixed_rows(context, x, mixture_of(own.map, rows->map), rows);
}

}  // namespace inlay
