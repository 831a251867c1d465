#include "tensor/quantised/block_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "tensor/kernels/convert.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

bool all_within(std::span<const float> values, float limit) {
  return std::all_of(values.begin(), values.end(),
                     [limit](float value) { return std::fabs(value) <= limit; });
}

}  // namespace

void for_float_rows(const Tensor& weight, float limit,
                    const std::function<void(int64_t, std::span<const float>)>& body) {
  const int64_t rows = weight.dim(0), columns = weight.dim(1);
  const std::size_t row_bytes = static_cast<std::size_t>(columns) * dtype_size(weight.dtype());
  std::vector<char> fits(static_cast<std::size_t>(rows), 1);
  kernels::parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    std::vector<float> row(static_cast<std::size_t>(columns));
    for (int64_t r = first; r < last; ++r) {
      kernels::convert(weight.raw() + static_cast<std::size_t>(r) * row_bytes, weight.dtype(),
                       reinterpret_cast<std::byte*>(row.data()), DType::kF32, columns);
      const bool within = all_within(row, limit);
      fits[static_cast<std::size_t>(r)] = within ? 1 : 0;
      if (within) body(r, row);
    }
  });
  const auto bad = std::find(fits.begin(), fits.end(), 0);
  require(bad == fits.end(), ErrorKind::kInput,
          "row {} of a weight of shape {} holds a NaN or a magnitude above {}, which cannot be "
          "quantised",
          bad - fits.begin(), weight.shape().text(), limit);
}

float largest_magnitude(std::span<const float> values) {
  float largest = 0;
  for (float value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

}  // namespace inlay
