// The three products of low_rank.h in vectors along the channels, for f32 or bf16 elements of the
// long matrix. The factor is packed first: (r, channels), zeros up to the next whole vector of
// channels.

#if defined(INLAY_KERNELS_LOW_RANK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_LOW_RANK_INL_H_
#undef INLAY_KERNELS_LOW_RANK_INL_H_
#else
#define INLAY_KERNELS_LOW_RANK_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "tensor/kernels/element_io-inl.h"
#include "tensor/kernels/low_rank.h"
#include "tensor/kernels/panel.h"
#include "tensor/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What fills the register file with accumulators and leaves room for operands: 32 registers, or 16.
inline constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3;
inline constexpr std::size_t kProjectRows = kManyRegisters ? 3 : 2;
inline constexpr std::size_t kProjectRanks = kManyRegisters ? 8 : 4;
inline constexpr std::size_t kExpandRows = kManyRegisters ? 8 : 4;
inline constexpr std::size_t kGradRanks = kManyRegisters ? 8 : 4;

// Calls run(block, at) over [at, count) in blocks, each an integral constant of the given sizes,
// the largest first; the last size is 1.
template <std::size_t kSize, std::size_t... kSmaller, class Run>
HWY_INLINE void in_blocks(std::size_t count, std::size_t at, const Run& run) {
  for (; at + kSize <= count; at += kSize) run(std::integral_constant<std::size_t, kSize>(), at);
  if constexpr (sizeof...(kSmaller) > 0) in_blocks<kSmaller...>(count, at, run);
}

inline void pack_factor(const float* factor, FactorLayout layout, std::size_t rank,
                        std::size_t channels, Panel dst) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t step = layout == FactorLayout::kRankByChannel ? 1 : rank;
  const auto lane_offsets = hn::Mul(hn::Iota(di, 0), hn::Set(di, static_cast<int32_t>(step)));
  for (std::size_t i = 0; i < rank; ++i) {
    const float* src = factor + (layout == FactorLayout::kRankByChannel ? i * channels : i);
    float* row = dst.row(i);
    std::size_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
      hn::StoreU(
          step == 1 ? hn::LoadU(d, src + c) : hn::GatherIndex(d, src + c * step, lane_offsets), d,
          row + c);
    }
    for (; c < channels; ++c) row[c] = src[c * step];
    std::fill(row + channels, row + hwy::RoundUpTo(channels, lanes), 0.0f);
  }
}

// u[0..kRows)[0..kRanks) = scale * x (kRows, channels) * factor (kRanks, channels)^T
template <std::size_t kRows, std::size_t kRanks, class Element>
HWY_INLINE void project_tile(const Element* x, std::size_t x_stride, const Panel& factor,
                             std::size_t channels, float scale, float* u, std::size_t u_stride) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sum[kRows][kRanks];
  for (auto& row : sum) {
    for (auto& each : row) each = hn::Zero(d);
  }
  const auto add = [&](const hn::Vec<decltype(d)>(&values)[kRows], std::size_t c) HWY_ATTR {
    HWY_UNROLL(8)
    for (std::size_t i = 0; i < kRanks; ++i) {
      const auto weight = hn::LoadU(d, factor.row(i) + c);
      HWY_UNROLL(3)
      for (std::size_t t = 0; t < kRows; ++t) sum[t][i] = hn::MulAdd(values[t], weight, sum[t][i]);
    }
  };
  hn::Vec<decltype(d)> values[kRows];
  std::size_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    HWY_UNROLL(3)
    for (std::size_t t = 0; t < kRows; ++t) values[t] = load_f32(d, x + t * x_stride + c);
    add(values, c);
  }
  if (c < channels) {
    for (std::size_t t = 0; t < kRows; ++t)
      values[t] = load_f32(d, x + t * x_stride + c, channels - c);
    add(values, c);
  }
  for (std::size_t t = 0; t < kRows; ++t) {
    for (std::size_t i = 0; i < kRanks; ++i) {
      u[t * u_stride + i] = scale * hn::GetLane(hn::SumOfLanes(d, sum[t][i]));
    }
  }
}

template <class Element>
void project_rows_of(const LowRankProject& args, const Panel& factor, int64_t first, int64_t last) {
  const auto rank = static_cast<std::size_t>(args.rank),
             channels = static_cast<std::size_t>(args.channels);
  const auto stride = static_cast<std::size_t>(args.x_stride);
  const Element* x = static_cast<const Element*>(args.x) + first * args.x_stride;
  float* u = static_cast<float*>(args.u) + first * args.rank;
  in_blocks<kProjectRows, 1>(
      static_cast<std::size_t>(last - first), 0, [&](auto rows, std::size_t t) HWY_ATTR {
        in_blocks<kProjectRanks, 4, 1>(rank, 0, [&](auto ranks, std::size_t i) HWY_ATTR {
          project_tile<rows(), ranks()>(x + t * stride, stride, Panel{factor.row(i), factor.stride},
                                        channels, args.scale, u + t * rank + i, rank);
        });
      });
}

// y (kRows, kVectors vectors or `count` elements) += scale * u (kRows, rank) * factor
template <std::size_t kRows, std::size_t kVectors, class Element>
HWY_INLINE void expand_tile(const float* u, std::size_t rank, const float* factor,
                            std::size_t factor_stride, float scale, Element* y,
                            std::size_t y_stride, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sum[kRows][kVectors];
  for (auto& row : sum) {
    for (auto& each : row) each = hn::Zero(d);
  }
  for (std::size_t i = 0; i < rank; ++i) {
    hn::Vec<decltype(d)> weight[kVectors];
    for (std::size_t n = 0; n < kVectors; ++n)
      weight[n] = hn::LoadU(d, factor + i * factor_stride + n * lanes);
    HWY_UNROLL(8)
    for (std::size_t t = 0; t < kRows; ++t) {
      const auto value = hn::Set(d, u[t * rank + i]);
      for (std::size_t n = 0; n < kVectors; ++n)
        sum[t][n] = hn::MulAdd(value, weight[n], sum[t][n]);
    }
  }
  const auto factor_of_sum = hn::Set(d, scale);
  HWY_UNROLL(8)
  for (std::size_t t = 0; t < kRows; ++t) {
    for (std::size_t n = 0; n < kVectors; ++n) {
      Element* dst = y + t * y_stride + n * lanes;
      if (count >= kVectors * lanes) {
        store_f32(hn::MulAdd(sum[t][n], factor_of_sum, load_f32(d, dst)), d, dst);
      } else {
        store_f32(hn::MulAdd(sum[t][n], factor_of_sum, load_f32(d, dst, count)), d, dst, count);
      }
    }
  }
}

template <class Element>
void expand_add_rows_of(const LowRankExpandAdd& args, const Panel& factor, int64_t first,
                        int64_t last) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  const auto rank = static_cast<std::size_t>(args.rank),
             channels = static_cast<std::size_t>(args.channels);
  const auto stride = static_cast<std::size_t>(args.y_stride);
  const float* u = static_cast<const float*>(args.u) + first * args.rank;
  Element* y = static_cast<Element*>(args.y) + first * args.y_stride;
  in_blocks<kExpandRows, 1>(
      static_cast<std::size_t>(last - first), 0, [&](auto rows, std::size_t t) HWY_ATTR {
        std::size_t c = 0;
        for (; c + 2 * lanes <= channels; c += 2 * lanes) {
          expand_tile<rows(), 2>(u + t * rank, rank, factor.data + c, factor.stride, args.scale,
                                 y + t * stride + c, stride, 2 * lanes);
        }
        for (; c < channels; c += lanes) {
          expand_tile<rows(), 1>(u + t * rank, rank, factor.data + c, factor.stride, args.scale,
                                 y + t * stride + c, stride, channels - c);
        }
      });
}

// tile (kRanks, kVectors vectors) = scale * sum over the rows, in order, of u[., 0..kRanks) x[.,
// 0..count).
template <std::size_t kRanks, std::size_t kVectors, class Element>
HWY_INLINE void weight_grad_tile(const LowRankWeightGrad& args, const float* u, const Element* x,
                                 std::size_t count, float* tile) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto rank = static_cast<std::size_t>(args.rank),
             stride = static_cast<std::size_t>(args.x_stride);
  hn::Vec<decltype(d)> sum[kRanks][kVectors];
  for (auto& row : sum) {
    for (auto& each : row) each = hn::Zero(d);
  }
  for (std::size_t t = 0; t < static_cast<std::size_t>(args.rows); ++t, x += stride, u += rank) {
    hn::Vec<decltype(d)> values[kVectors];
    for (std::size_t n = 0; n < kVectors; ++n) {
      values[n] = count >= kVectors * lanes ? load_f32(d, x + n * lanes) : load_f32(d, x, count);
    }
    HWY_UNROLL(8)
    for (std::size_t i = 0; i < kRanks; ++i) {
      const auto value = hn::Set(d, u[i]);
      for (std::size_t n = 0; n < kVectors; ++n)
        sum[i][n] = hn::MulAdd(value, values[n], sum[i][n]);
    }
  }
  const auto scale = hn::Set(d, args.scale);
  HWY_UNROLL(8)
  for (std::size_t i = 0; i < kRanks; ++i) {
    for (std::size_t n = 0; n < kVectors; ++n) {
      hn::Store(hn::Mul(sum[i][n], scale), d, tile + (i * kVectors + n) * lanes);
    }
  }
}

// A tile of kRanks by `count` (at most `width`) channels into the gradient at (rank i, channel c).
template <std::size_t kRanks>
HWY_INLINE void write_weight_grad(const LowRankWeightGrad& args, std::size_t i, std::size_t c,
                                  const float* tile, std::size_t width, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto rank = static_cast<std::size_t>(args.rank),
             channels = static_cast<std::size_t>(args.channels);
  auto* dst = static_cast<float*>(args.factor_grad);
  if (args.layout == FactorLayout::kRankByChannel) {
    for (std::size_t m = 0; m < kRanks; ++m)
      std::copy_n(tile + m * width, count, dst + (i + m) * channels + c);
    return;
  }
  dst += c * rank + i;
  if constexpr (kRanks % 4 == 0) {
    if (count == width) {
      for (std::size_t at = 0; at < width; at += lanes) {
        for (std::size_t m = 0; m < kRanks; m += 4) {
          const float* row = tile + m * width + at;
          store_columns(d, hn::Load(d, row), hn::Load(d, row + width), hn::Load(d, row + 2 * width),
                        hn::Load(d, row + 3 * width), dst + at * rank + m, rank);
        }
      }
      return;
    }
  }
  for (std::size_t at = 0; at < count; ++at) {
    for (std::size_t m = 0; m < kRanks; ++m) dst[at * rank + m] = tile[m * width + at];
  }
}

template <class Element>
void weight_grad_of(const LowRankWeightGrad& args) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  const auto rank = static_cast<std::size_t>(args.rank),
             channels = static_cast<std::size_t>(args.channels);
  const auto* x = static_cast<const Element*>(args.x);
  const auto* u = static_cast<const float*>(args.u);
  HWY_ALIGN float tile[kGradRanks * 2 * hn::MaxLanes(hn::ScalableTag<float>())];
  std::size_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) {
    in_blocks<kGradRanks, 4, 1>(rank, 0, [&](auto ranks, std::size_t i) HWY_ATTR {
      weight_grad_tile<ranks(), 2>(args, u + i, x + c, 2 * lanes, tile);
      write_weight_grad<ranks()>(args, i, c, tile, 2 * lanes, 2 * lanes);
    });
  }
  for (; c < channels; c += lanes) {
    const std::size_t count = std::min(lanes, channels - c);
    in_blocks<kGradRanks, 4, 1>(rank, 0, [&](auto ranks, std::size_t i) HWY_ATTR {
      weight_grad_tile<ranks(), 1>(args, u + i, x + c, count, tile);
      write_weight_grad<ranks()>(args, i, c, tile, lanes, count);
    });
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
