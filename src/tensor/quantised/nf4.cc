#include "tensor/quantised/nf4.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/quantised/block_rows.h"

namespace inlay::nf4 {
namespace {

constexpr int64_t kHalf = kLength / 2;
constexpr auto kFloat = static_cast<int64_t>(sizeof(float));

// Decade d of seven ends at 10^(d - 6) and has 2^d numbers of each sign, the middles of equal steps
// from a tenth of its end to its end; zero and one are added.
constexpr std::array<float, 256> make_codes() {
  constexpr std::array<double, 7> kEnds = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0};
  std::array<float, 256> codes{};
  std::size_t above = 128;
  for (std::size_t decade = 0; decade < kEnds.size(); ++decade) {
    const int steps = 1 << decade;
    for (int i = 0; i < steps; ++i) {
      const double middle = 0.1 + 0.9 * (i + 0.5) / steps;
      const auto code = static_cast<float>(kEnds[decade] * middle);
      codes[above] = code;
      codes[254 - above] = -code;
      ++above;
    }
  }
  codes[255] = 1.0f;
  return codes;  // [127] is the zero
}

constexpr std::array<float, 256> kCodes = make_codes();
static_assert(kCodes[127] == 0.0f && kCodes[254] < 1.0f && kCodes[0] == -kCodes[254]);

// The index of the nearest code; the lower one of two that are as near.
std::size_t nearest_code(float value) {
  const auto above = std::lower_bound(kCodes.begin(), kCodes.end(), value);
  if (above == kCodes.begin()) return 0;
  if (above == kCodes.end()) return kCodes.size() - 1;
  const auto index = static_cast<std::size_t>(above - kCodes.begin());
  return value - above[-1] <= *above - value ? index - 1 : index;
}

std::vector<float> block_magnitudes(const Tensor& weight, const Layout& layout) {
  std::vector<float> magnitudes(static_cast<std::size_t>(layout.blocks));
  const float limit = std::numeric_limits<float>::max() / 2;  // differences of magnitudes fit
  for_float_rows(weight, limit, [&](int64_t r, std::span<const float> row) {
    auto at = static_cast<std::size_t>(r * weight.dim(1) / kLength);
    for (std::size_t c = 0; c < row.size(); c += kLength) {
      magnitudes[at++] = largest_magnitude(row.subspan(c, kLength));
    }
  });
  return magnitudes;
}

// Writes codes, scales and mean: everything but the elements.
void store_magnitudes(std::vector<float> magnitudes, const Layout& layout, std::byte* dst) {
  double sum = 0;
  for (float magnitude : magnitudes) sum += static_cast<double>(magnitude);
  const auto mean =
      static_cast<float>(sum / static_cast<double>(std::max<int64_t>(layout.blocks, 1)));
  store_value(dst + layout.mean, mean);
  for (float& magnitude : magnitudes) magnitude -= mean;
  for (int64_t group = 0; group < layout.groups; ++group) {
    const int64_t first = group * kGroup;
    const auto count = static_cast<std::size_t>(std::min(kGroup, layout.blocks - first));
    const auto part = std::span(magnitudes).subspan(static_cast<std::size_t>(first), count);
    const float scale = largest_magnitude(part);
    store_value(dst + layout.scales + group * kFloat, scale);
    std::byte* code = dst + layout.codes + first;
    for (float magnitude : part) {
      *code++ = static_cast<std::byte>(scale > 0 ? nearest_code(magnitude / scale) : 127);
    }
  }
}

// Where the nearest value changes.
constexpr std::array<float, 15> make_boundaries() {
  std::array<float, 15> boundaries{};
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    boundaries[i] = (kValues[i] + kValues[i + 1]) / 2;
  }
  return boundaries;
}
constexpr std::array<float, 15> kBoundaries = make_boundaries();

// What the magnitude became is what the elements are divided by, so that its rounding is made up
// for as far as the steps allow.
void quantise_block(std::span<const float> src, float magnitude, std::byte* dst) {
  std::array<float, kLength> scaled{};  // a magnitude of zero makes all the value zero
  std::array<int32_t, kLength> steps{};
  for (std::size_t i = 0; i < kLength; ++i) scaled[i] = magnitude != 0 ? src[i] / magnitude : 0.0f;
  for (float boundary : kBoundaries) {
    for (std::size_t i = 0; i < kLength; ++i) steps[i] += scaled[i] > boundary ? 1 : 0;
  }
  for (std::size_t i = 0; i < kHalf; ++i) {
    dst[i] = static_cast<std::byte>(steps[i] | steps[i + kHalf] << 4);
  }
}

}  // namespace

const std::array<float, 256>& codes() { return kCodes; }

Layout::Layout(MatrixSize size)
    : blocks(size.count() / kLength),
      groups((blocks + kGroup - 1) / kGroup),
      codes(size.count() / 2),
      scales(codes + blocks),
      mean(scales + groups * kFloat) {}

float magnitude(const std::byte* data, const Layout& layout, int64_t b) {
  const float code = kCodes[static_cast<std::size_t>(data[layout.codes + b])];
  const float scaled = code * scale_value<float>(data + layout.scales + b / kGroup * kFloat);
  return scaled + scale_value<float>(data + layout.mean);
}

std::size_t byte_count(MatrixSize size) {
  return static_cast<std::size_t>(Layout(size).mean + kFloat);
}

void dequantise(const QuantisedRows& rows, float* dst) {
  const Layout layout(rows.size);
  const int64_t per_row = rows.size.columns / kLength;
  for (int64_t b = rows.first * per_row; b < rows.last * per_row; ++b, dst += kLength) {
    const float scale = magnitude(rows.data, layout, b);
    for (int64_t i = 0; i < kHalf; ++i) {
      const auto both = static_cast<std::size_t>(rows.data[b * kHalf + i]);
      dst[i] = kValues[both & 15u] * scale;
      dst[i + kHalf] = kValues[both >> 4] * scale;
    }
  }
}

void quantise(const Tensor& weight, std::byte* dst) {
  const Layout layout({weight.dim(0), weight.dim(1)});
  store_magnitudes(block_magnitudes(weight, layout), layout, dst);
  for_float_rows(
      weight, std::numeric_limits<float>::max(), [&](int64_t r, std::span<const float> row) {
        int64_t b = r * weight.dim(1) / kLength;
        for (std::size_t c = 0; c < row.size(); c += kLength, ++b) {
          quantise_block(row.subspan(c, kLength), magnitude(dst, layout, b), dst + b * kHalf);
        }
      });
}

}  // namespace inlay::nf4
