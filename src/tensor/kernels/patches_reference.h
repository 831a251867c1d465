// Patches one element at a time, computed in T (float or double).
#pragma once

#include <vector>

#include "tensor/kernels/patches.h"

namespace inlay::kernels {

// Where element `i` of the patch of output place `row` is in the maps; -1: outside.
inline int64_t element_of_patch(const Patches& patches, int64_t row, int64_t i) {
  const PatchGeometry& map = patches.geometry;
  const int64_t tap = i / patches.channels, place = row % map.outputs();
  const int64_t y = place / map.output_width * map.stride_height - map.top +
                    tap / map.kernel_width * map.dilation_height;
  const int64_t x = place % map.output_width * map.stride_width - map.left +
                    tap % map.kernel_width * map.dilation_width;
  if (y < 0 || y >= map.input_height || x < 0 || x >= map.input_width) return -1;
  const int64_t from = row / map.outputs() * map.inputs() + y * map.input_width + x;
  return from * patches.map_channels + patches.first_channel + i % patches.channels;
}

template <class T>
void gather_patches_reference(const Patches& patches, Input src, int64_t first, int64_t last,
                              Output dst) {
  for (int64_t row = first; row < last; ++row) {
    for (int64_t i = 0; i < patches.size(); ++i) {
      const int64_t from = element_of_patch(patches, row, i);
      dst.store((row - first) * patches.size() + i, from < 0 ? T{0} : src.load<T>(from));
    }
  }
}

template <class T>
void scatter_patches_reference(const Patches& patches, Input src, int64_t first, int64_t last,
                               Output dst) {
  const PatchGeometry& map = patches.geometry;
  const int64_t base = first * map.inputs() * patches.map_channels;
  std::vector<T> sums(
      static_cast<std::size_t>((last - first) * map.inputs() * patches.map_channels));
  for (int64_t row = first * map.outputs(); row < last * map.outputs(); ++row) {
    for (int64_t i = 0; i < patches.size(); ++i) {
      const int64_t to = element_of_patch(patches, row, i);
      if (to < 0) continue;
      sums[static_cast<std::size_t>(to - base)] +=
          src.load<T>((row - first * map.outputs()) * patches.size() + i);
    }
  }
  for (int64_t place = first * map.inputs(); place < last * map.inputs(); ++place) {
    for (int64_t c = 0; c < patches.channels; ++c) {
      const int64_t to = place * patches.map_channels + patches.first_channel + c;
      dst.store(to, sums[static_cast<std::size_t>(to - base)]);
    }
  }
}

}  // namespace inlay::kernels
