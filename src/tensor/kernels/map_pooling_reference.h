// Pooling of maps by its definition, one element at a time, computed in T (float or double).
#pragma once

#include <cmath>
#include <vector>

#include "tensor/kernels/map_pooling.h"

namespace inlay::kernels {

// The places of the input map that an output place sees, line by line.
inline std::vector<int64_t> places_seen(const PatchGeometry& map, int64_t place) {
  std::vector<int64_t> seen;
  seen.reserve(static_cast<std::size_t>(map.taps()));
  for (int64_t tap = 0; tap < map.taps(); ++tap) {
    const int64_t y = place / map.output_width * map.stride_height - map.top +
                      tap / map.kernel_width * map.dilation_height;
    const int64_t x = place % map.output_width * map.stride_width - map.left +
                      tap % map.kernel_width * map.dilation_width;
    if (y >= 0 && y < map.input_height && x >= 0 && x < map.input_width)
      seen.push_back(y * map.input_width + x);
  }
  return seen;
}

template <class T>
void max_pool_forward_reference(const PooledMaps& args, Input src, Output dst, int32_t* winners) {
  const int64_t channels = args.channels, outputs = args.geometry.outputs();
  for (int64_t row = 0; row < args.maps * outputs; ++row) {
    const std::vector<int64_t> seen = places_seen(args.geometry, row % outputs);
    const int64_t from = row / outputs * args.geometry.inputs();
    for (int64_t c = 0; c < channels; ++c) {
      auto at = [&](int64_t place) { return src.load<T>((from + place) * channels + c); };
      int64_t winner = seen.front();
      for (int64_t place : seen) {
        if (at(place) > at(winner) || std::isnan(at(place))) winner = place;
      }
      dst.store(row * channels + c, at(winner));
      if (winners != nullptr) winners[row * channels + c] = static_cast<int32_t>(winner);
    }
  }
}

// Each place gets share(element of grad_dst, place, how many places the window sees) * grad_dst.
template <class T, class Share>
void spread_over_places(const PooledMaps& args, Input grad_dst, Output grad_src,
                        const Share& share) {
  const int64_t channels = args.channels, outputs = args.geometry.outputs();
  std::vector<T> sums(static_cast<std::size_t>(args.maps * args.geometry.inputs() * channels));
  for (int64_t row = 0; row < args.maps * outputs; ++row) {
    const std::vector<int64_t> seen = places_seen(args.geometry, row % outputs);
    const int64_t to = row / outputs * args.geometry.inputs();
    for (int64_t place : seen) {
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t i = row * channels + c;
        sums[static_cast<std::size_t>((to + place) * channels + c)] +=
            grad_dst.load<T>(i) * share(i, place, static_cast<int64_t>(seen.size()));
      }
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) grad_src.store(static_cast<int64_t>(i), sums[i]);
}

template <class T>
void max_pool_backward_reference(const PooledMaps& args, Input grad_dst, const int32_t* winners,
                                 Output grad_src) {
  spread_over_places<T>(args, grad_dst, grad_src, [&](int64_t i, int64_t place, int64_t) {
    return winners[i] == place ? T{1} : T{0};
  });
}

template <class T>
T pool_share_reference(const PooledMaps& args, PoolDivisor divisor, int64_t seen) {
  return T{1} / static_cast<T>(divisor == PoolDivisor::kWindow ? args.geometry.taps() : seen);
}

template <class T>
void average_pool_forward_reference(const PooledMaps& args, PoolDivisor divisor, Input src,
                                    Output dst) {
  const int64_t channels = args.channels, outputs = args.geometry.outputs();
  for (int64_t row = 0; row < args.maps * outputs; ++row) {
    const std::vector<int64_t> seen = places_seen(args.geometry, row % outputs);
    const int64_t from = row / outputs * args.geometry.inputs();
    const T share = pool_share_reference<T>(args, divisor, static_cast<int64_t>(seen.size()));
    for (int64_t c = 0; c < channels; ++c) {
      T sum = 0;
      for (int64_t place : seen) sum += src.load<T>((from + place) * channels + c);
      dst.store(row * channels + c, sum * share);
    }
  }
}

template <class T>
void average_pool_backward_reference(const PooledMaps& args, PoolDivisor divisor, Input grad_dst,
                                     Output grad_src) {
  spread_over_places<T>(args, grad_dst, grad_src, [&](int64_t, int64_t, int64_t seen) {
    return pool_share_reference<T>(args, divisor, seen);
  });
}

}  // namespace inlay::kernels
