// Depthwise convolution by its definition, one element at a time, computed in T (float or double).
#pragma once

#include <vector>

#include "tensor/kernels/depthwise.h"

namespace inlay::kernels {

// visit(output row, tap, input row) for every tap that lies on a map, in the order of output places
// and taps, over maps [first, last).
template <class Visit>
void for_all_taps(const PatchGeometry& map, int64_t first, int64_t last, const Visit& visit) {
  for (int64_t row = first * map.outputs(); row < last * map.outputs(); ++row) {
    const int64_t place = row % map.outputs();
    for (int64_t tap = 0; tap < map.taps(); ++tap) {
      const int64_t y = place / map.output_width * map.stride_height - map.top +
                        tap / map.kernel_width * map.dilation_height;
      const int64_t x = place % map.output_width * map.stride_width - map.left +
                        tap % map.kernel_width * map.dilation_width;
      if (y < 0 || y >= map.input_height || x < 0 || x >= map.input_width) continue;
      visit(row, tap, row / map.outputs() * map.inputs() + y * map.input_width + x);
    }
  }
}

template <class T>
void depthwise_forward_reference(const Depthwise& args, Input src, Input taps, Input bias,
                                 Output dst) {
  const int64_t channels = args.channels;
  std::vector<T> sums(static_cast<std::size_t>(args.maps * args.geometry.outputs() * channels));
  for (int64_t c = 0; c < channels; ++c) {
    for_all_taps(args.geometry, 0, args.maps, [&](int64_t o, int64_t tap, int64_t i) {
      sums[static_cast<std::size_t>(o * channels + c)] +=
          taps.load<T>(tap * channels + c) * src.load<T>(i * channels + c);
    });
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    dst.store(at, bias ? sums[i] + bias.load<T>(at % channels) : sums[i]);
  }
}

template <class T>
void depthwise_backward_reference(const Depthwise& args, Input grad_dst, Input taps,
                                  Output grad_src) {
  const int64_t channels = args.channels;
  std::vector<T> sums(static_cast<std::size_t>(args.maps * args.geometry.inputs() * channels));
  for (int64_t c = 0; c < channels; ++c) {
    for_all_taps(args.geometry, 0, args.maps, [&](int64_t o, int64_t tap, int64_t i) {
      sums[static_cast<std::size_t>(i * channels + c)] +=
          taps.load<T>(tap * channels + c) * grad_dst.load<T>(o * channels + c);
    });
  }
  for (std::size_t i = 0; i < sums.size(); ++i) grad_src.store(static_cast<int64_t>(i), sums[i]);
}

template <class T>
void depthwise_taps_grad_reference(const DepthwiseTapsGrad& args, Output grad_taps) {
  const int64_t channels = args.of.channels;
  std::vector<T> sums(static_cast<std::size_t>(args.of.geometry.taps() * channels));
  for (int64_t c = 0; c < channels; ++c) {
    for_all_taps(args.of.geometry, args.first, args.last, [&](int64_t o, int64_t tap, int64_t i) {
      sums[static_cast<std::size_t>(tap * channels + c)] +=
          args.grad_dst.load<T>(o * channels + c) * args.src.load<T>(i * channels + c);
    });
  }
  for (std::size_t i = 0; i < sums.size(); ++i) grad_taps.store(static_cast<int64_t>(i), sums[i]);
}

}  // namespace inlay::kernels
