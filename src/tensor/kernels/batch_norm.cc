#include "tensor/kernels/batch_norm.h"

#include "base/error.h"
#include "tensor/kernels/batch_norm_reference.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/batch_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/column_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void affine_rows(const ChannelAffine& args, int64_t first, int64_t last) {
  const V32 least = set(args.least), most = set(args.most);
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, args.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * args.channels + c;
      V32 y = hn::MulAdd(load_any(args.src, i, n), load_any(args.factors, c, n),
                         load_any(args.addends, c, n));
      y = hn::IfThenElse(hn::Lt(y, least), least, y);
      store_any(hn::IfThenElse(hn::Gt(y, most), most, y), args.dst, i, n);
    });
  }
}

void affine_backward_rows(const ChannelAffineBackward& args, int64_t first, int64_t last) {
  const V32 least = set(args.least), most = set(args.most);
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, args.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * args.channels + c;
      const V32 y = load_any(args.y, i, n);
      const V32 grad = hn::Mul(load_any(args.grad_y, i, n), load_any(args.factors, c, n));
      const auto outside = hn::Or(hn::Le(y, least), hn::Ge(y, most));
      store_any(hn::IfThenZeroElse(outside, grad), args.grad_x, i, n);
    });
  }
}

// sums (C) = sum of src over rows [first, last).
void sum_rows(const BatchMoments& args, int64_t first, int64_t last, float* sums) {
  fold_columns(
      args.channels, first, last, set(0.0f),
      [&](V32& sum, int64_t r, int64_t c, std::size_t n)
          HWY_ATTR { sum = hn::Add(sum, load_any(args.src, r * args.channels + c, n)); },
      [&](const V32& sum, int64_t c, std::size_t n) HWY_ATTR { store_some(sum, sums + c, n); });
}

// sums (C) = sum of (src - mean)^2 over rows [first, last).
void sum_squares(const BatchMoments& args, int64_t first, int64_t last, float* sums) {
  const Input mean = args.mean;
  fold_columns(
      args.channels, first, last, set(0.0f),
      [&](V32& sum, int64_t r, int64_t c, std::size_t n) HWY_ATTR {
        const V32 x = load_any(args.src, r * args.channels + c, n);
        const V32 from_mean = hn::Sub(x, load_any(mean, c, n));
        sum = hn::MulAdd(from_mean, from_mean, sum);
      },
      [&](const V32& sum, int64_t c, std::size_t n) HWY_ATTR { store_some(sum, sums + c, n); });
}

void forward_rows(const BatchNormForward& args, int64_t first, int64_t last) {
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, args.channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * args.channels + c;
      const V32 from_mean = hn::Sub(load_any(args.x, i, n), load_any(args.mean, c, n));
      const V32 xhat = hn::Mul(from_mean, load_any(args.rstd, c, n));
      if (args.xhat) store_any(xhat, args.xhat, i, n);
      store_any(hn::MulAdd(xhat, load_any(args.gamma, c, n), load_any(args.beta, c, n)), args.y, i,
                n);
    });
  }
}

// sums (2, C) = sums of grad_y and of grad_y xhat over rows [first, last).
void sum_gradients(const BatchNormBackward& args, int64_t first, int64_t last, float* sums) {
  struct Sums {
    V32 grad, product;
  };
  const int64_t channels = args.channels;
  fold_columns(
      channels, first, last, Sums{set(0.0f), set(0.0f)},
      [&](Sums& sum, int64_t r, int64_t c, std::size_t n) HWY_ATTR {
        const V32 grad = load_any(args.grad_y, r * channels + c, n);
        sum.grad = hn::Add(sum.grad, grad);
        sum.product = hn::MulAdd(grad, load_any(args.xhat, r * channels + c, n), sum.product);
      },
      [&](const Sums& sum, int64_t c, std::size_t n) HWY_ATTR {
        store_some(sum.grad, sums + c, n);
        store_some(sum.product, sums + channels + c, n);
      });
}

// means (2, C) of what sum_gradients() sums.
void backward_rows(const BatchNormBackward& args, const float* means, int64_t first, int64_t last) {
  const int64_t channels = args.channels;
  for (int64_t r = first; r < last; ++r) {
    for_vectors(0, channels, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t i = r * channels + c;
      const V32 from_mean = hn::Sub(load_any(args.grad_y, i, n), load_some(means + c, n));
      const V32 grad =
          hn::NegMulAdd(load_any(args.xhat, i, n), load_some(means + channels + c, n), from_mean);
      store_any(hn::Mul(load_any(args.factors, c, n), grad), args.grad_x, i, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(affine_rows);
HWY_EXPORT(affine_backward_rows);
HWY_EXPORT(sum_rows);
HWY_EXPORT(sum_squares);
HWY_EXPORT(forward_rows);
HWY_EXPORT(sum_gradients);
HWY_EXPORT(backward_rows);

constexpr int64_t kBlockRows = 256;

int64_t blocks_of(int64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

// means (width) over rows: sum(first, last, dst) writes the sums over one block of rows, and blocks
// are joined pair by pair. `means` may be the beginning of the scratch.
template <class Sum>
void mean_in_tree(int64_t rows, int64_t width, std::span<float> scratch, const Sum& sum,
                  Output means) {
  const int64_t blocks = blocks_of(rows);
  ensure(rows > 0 && static_cast<int64_t>(scratch.size()) >= blocks * width,
         "{} numbers of scratch for sums over {} rows of {}", scratch.size(), rows, width);
  float* sums = scratch.data();
  parallel_ranges(blocks, kBlockRows * width, [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b)
      sum(b * kBlockRows, std::min((b + 1) * kBlockRows, rows), sums + b * width);
  });
  for (int64_t step = 1; step < blocks; step *= 2) {
    for (int64_t b = 0; b + step < blocks; b += 2 * step)
      add_in_place(sums + b * width, sums + (b + step) * width, width);
  }
  scale(sums, 1.0 / static_cast<double>(rows), means, width);
}

}  // namespace

void channel_affine(const ChannelAffine& args) {
  if (runs_in_double({args.src, args.factors, args.addends, args.dst}))
    return channel_affine_reference<double>(args);
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(affine_rows)(args, first, last);
  });
}

void channel_affine_backward(const ChannelAffineBackward& args) {
  if (runs_in_double({args.y, args.grad_y, args.factors, args.grad_x}))
    return channel_affine_backward_reference<double>(args);
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(affine_backward_rows)(args, first, last);
  });
}

std::size_t batch_sums_scratch(int64_t rows, int64_t channels) {
  return static_cast<std::size_t>(2 * blocks_of(rows) * channels);
}

void batch_moments(const BatchMoments& args, std::span<float> scratch) {
  if (runs_in_double({args.src, args.mean, args.variance}))
    return batch_moments_reference<double>(args);
  auto sum = [&](int64_t first, int64_t last, float* sums) {
    HWY_DYNAMIC_DISPATCH(sum_rows)(args, first, last, sums);
  };
  mean_in_tree(args.rows, args.channels, scratch, sum, args.mean);
  auto squares = [&](int64_t first, int64_t last, float* sums) {
    HWY_DYNAMIC_DISPATCH(sum_squares)(args, first, last, sums);
  };
  mean_in_tree(args.rows, args.channels, scratch, squares, args.variance);
}

void batch_norm_forward(const BatchNormForward& args) {
  if (runs_in_double({args.x, args.mean, args.rstd, args.gamma, args.beta, args.y, args.xhat}))
    return batch_norm_forward_reference<double>(args);
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(args, first, last);
  });
}

void batch_norm_backward(const BatchNormBackward& args, std::span<float> scratch) {
  if (runs_in_double({args.grad_y, args.xhat, args.factors, args.grad_x}))
    return batch_norm_backward_reference<double>(args);
  auto sum = [&](int64_t first, int64_t last, float* sums) {
    HWY_DYNAMIC_DISPATCH(sum_gradients)(args, first, last, sums);
  };
  float* means = scratch.data();
  mean_in_tree(args.rows, 2 * args.channels, scratch, sum, means);
  parallel_ranges(args.rows, args.channels, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_rows)(args, means, first, last);
  });
}

}  // namespace inlay::kernels
#endif
