#include "tensor/kernels/depthwise.h"

#include "base/error.h"
#include "tensor/kernels/depthwise_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/depthwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

enum class Way { kForward, kBackward };

// What all rows of one call read and write: src in the type T, taps, a bias, dst.
template <class T>
struct RowOperands {
  const T* src;
  const float* taps;
  Input bias;
  Output dst;
};

// Rows [first, last) of dst: the places of the output maps forward, of the input maps backward. A
// place's taps are found once for all of its channels.
template <Way kWay, class T>
void sum_rows(const Depthwise& args, const RowOperands<T>& operands, int64_t first, int64_t last) {
  const PatchGeometry& map = args.geometry;
  const int64_t places = kWay == Way::kForward ? map.outputs() : map.inputs();
  const int64_t others = kWay == Way::kForward ? map.inputs() : map.outputs();
  const int64_t channels = args.channels;
  TapReads reads(map, channels, channels);
  for (int64_t row = first; row < last; ++row) {
    const std::span<const TapRead> read =
        kWay == Way::kForward ? reads.of_output(row % places) : reads.of_input(row % places);
    const T* src = operands.src + row / places * others * channels;
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sum = operands.bias ? load_any(operands.bias, c, n) : set(0.0f);
      for (const TapRead& one : read) {
        sum = hn::MulAdd(load_some(operands.taps + one.tap + c, n),
                         load_some(src + one.place + c, n), sum);
      }
      store_any(sum, operands.dst, row * channels + c, n);
    });
  }
}

template <Way kWay>
void sum_rows_of_any(const Depthwise& args, const Input& src, const Input& taps, const Input& bias,
                     const Output& dst, int64_t first, int64_t last) {
  const auto* weights = taps.as<float>();
  if (src.dtype() == DType::kBF16) {
    sum_rows<kWay, BFloat16>(args, {src.as<BFloat16>(), weights, bias, dst}, first, last);
  } else {
    sum_rows<kWay, float>(args, {src.as<float>(), weights, bias, dst}, first, last);
  }
}

void forward_rows(const Depthwise& args, const Input& src, const Input& taps, const Input& bias,
                  const Output& dst, int64_t first, int64_t last) {
  sum_rows_of_any<Way::kForward>(args, src, taps, bias, dst, first, last);
}

void backward_rows(const Depthwise& args, const Input& grad_dst, const Input& taps,
                   const Output& grad_src, int64_t first, int64_t last) {
  sum_rows_of_any<Way::kBackward>(args, grad_dst, taps, Input(), grad_src, first, last);
}

void taps_grad(const DepthwiseTapsGrad& args, float* sums) {
  const PatchGeometry& map = args.of.geometry;
  const int64_t channels = args.of.channels;
  std::fill_n(sums, map.taps() * channels, 0.0f);
  TapReads reads(map, channels, channels);
  for (int64_t row = args.first * map.outputs(); row < args.last * map.outputs(); ++row) {
    const std::span<const TapRead> read = reads.of_output(row % map.outputs());
    const int64_t src = row / map.outputs() * map.inputs() * channels;
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      const V32 grad = load_any(args.grad_dst, row * channels + c, n);
      for (const TapRead& one : read) {
        float* sum = sums + one.tap + c;
        const V32 x = load_any(args.src, src + one.place + c, n);
        store_some(hn::MulAdd(grad, x, load_some(sum, n)), sum, n);
      }
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(forward_rows);
HWY_EXPORT(backward_rows);
HWY_EXPORT(taps_grad);

// The elements that one place takes, for deciding about threads.
int64_t row_cost(const Depthwise& args) { return args.channels * args.geometry.taps(); }

void ensure_f32(const Input& weights) {
  ensure(weights.dtype() == DType::kF32, "taps of a depthwise convolution in {}, expected F32",
         dtype_name(weights.dtype()));
}
}  // namespace

void depthwise_forward(const Depthwise& args, Input src, Input taps, Input bias, Output dst) {
  if (runs_in_double({src, taps, bias, dst}))
    return depthwise_forward_reference<double>(args, src, taps, bias, dst);
  ensure_f32(taps);
  parallel_ranges(args.maps * args.geometry.outputs(), row_cost(args),
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(forward_rows)(args, src, taps, bias, dst, first, last);
                  });
}

void depthwise_backward(const Depthwise& args, Input grad_dst, Input taps, Output grad_src) {
  if (runs_in_double({grad_dst, taps, grad_src}))
    return depthwise_backward_reference<double>(args, grad_dst, taps, grad_src);
  ensure_f32(taps);
  parallel_ranges(args.maps * args.geometry.inputs(), row_cost(args),
                  [&](int64_t first, int64_t last) {
                    HWY_DYNAMIC_DISPATCH(backward_rows)
                    (args, grad_dst, taps, grad_src, first, last);
                  });
}

void depthwise_taps_grad(const DepthwiseTapsGrad& args, Output grad_taps) {
  if (runs_in_double({args.src, args.grad_dst, grad_taps}))
    return depthwise_taps_grad_reference<double>(args, grad_taps);
  ensure_f32(grad_taps);
  HWY_DYNAMIC_DISPATCH(taps_grad)(args, grad_taps.as<float>());
}

}  // namespace inlay::kernels
#endif
