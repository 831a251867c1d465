#include "tensor/kernels/block_product.h"

#include "base/error.h"
#include "tensor/kernels/block_product_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/block_product.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

HWY_INLINE float scalar(const float* src) { return *src; }
HWY_INLINE float scalar(const BFloat16* src) { return static_cast<float>(*src); }

// kRows sums of `count` products each: sum_k factors[r * stride + k * step] * vectors(k).
template <int kRows, class T, class Vector>
HWY_INLINE void accumulate(const T* factors, int64_t stride, int64_t step, int64_t count,
                           const Vector& vectors, V32 (&sums)[kRows]) {
  for (V32& sum : sums) sum = set(0.0f);
  for (int64_t k = 0; k < count; ++k) {
    const V32 vector = vectors(k);
    for (int r = 0; r < kRows; ++r)
      sums[r] = hn::MulAdd(set(scalar(factors + r * stride + k * step)), vector, sums[r]);
  }
}

// Four rows share each load; what they sum does not depend on it.
constexpr int kRowsAtOnce = 4;

template <int kRows, class T>
HWY_INLINE void product_rows(const BlockProduct& args, const T* x, int64_t row, const Output& dst) {
  const auto* blocks = args.blocks.as<float>();
  for (int64_t block = 0; block < args.count; ++block) {
    const T* parts = x + (row * args.count + block) * args.in;
    const float* matrix = blocks + block * args.in * args.out;
    for_vectors(0, args.out, [&](int64_t c, std::size_t n) HWY_ATTR {
      V32 sums[kRows];
      accumulate<kRows>(
          parts, args.count * args.in, 1, args.in,
          [&](int64_t k) HWY_ATTR { return load_some(matrix + k * args.out + c, n); }, sums);
      for (int r = 0; r < kRows; ++r)
        store_any(sums[r], dst, ((row + r) * args.count + block) * args.out + c, n);
    });
  }
}

template <class T>
HWY_INLINE void product(const BlockProduct& args, int64_t first, int64_t last, const Output& dst) {
  const T* x = args.x.as<T>();
  int64_t row = first;
  for (; row + kRowsAtOnce <= last; row += kRowsAtOnce)
    product_rows<kRowsAtOnce>(args, x, row, dst);
  for (; row < last; ++row) product_rows<1>(args, x, row, dst);
}

void run_product(const BlockProduct& args, int64_t first, int64_t last, const Output& dst) {
  args.x.dtype() == DType::kBF16 ? product<BFloat16>(args, first, last, dst)
                                 : product<float>(args, first, last, dst);
}

// Rows [k, k + kRows) of the gradient of one block.
template <int kRows, class T>
HWY_INLINE void grad_rows(const BlockGrad& args, const T* x, int64_t block, int64_t k,
                          const Output& dst) {
  const int64_t x_stride = args.count * args.in, grad_stride = args.count * args.out;
  for_vectors(0, args.out, [&](int64_t c, std::size_t n) HWY_ATTR {
    const int64_t from = args.first * grad_stride + block * args.out + c;
    V32 sums[kRows];
    accumulate<kRows>(
        x + args.first * x_stride + block * args.in + k, 1, x_stride, args.last - args.first,
        [&](int64_t t) HWY_ATTR { return load_any(args.grad, from + t * grad_stride, n); }, sums);
    for (int r = 0; r < kRows; ++r)
      store_any(sums[r], dst, (block * args.in + k + r) * args.out + c, n);
  });
}

template <class T>
HWY_INLINE void grad(const BlockGrad& args, const Output& dst) {
  const T* x = args.x.as<T>();
  for (int64_t block = 0; block < args.count; ++block) {
    int64_t k = 0;
    for (; k + kRowsAtOnce <= args.in; k += kRowsAtOnce)
      grad_rows<kRowsAtOnce>(args, x, block, k, dst);
    for (; k < args.in; ++k) grad_rows<1>(args, x, block, k, dst);
  }
}

void run_grad(const BlockGrad& args, const Output& dst) {
  args.x.dtype() == DType::kBF16 ? grad<BFloat16>(args, dst) : grad<float>(args, dst);
}

template <int kRows>
HWY_INLINE void left_rows(const LeftProduct& args, int64_t row, int64_t l, const Output& dst) {
  for_vectors(0, args.k, [&](int64_t c, std::size_t n) HWY_ATTR {
    V32 sums[kRows];
    accumulate<kRows>(
        args.w.as<float>() + l * args.m, args.m, 1, args.m,
        [&](int64_t m) HWY_ATTR { return load_any(args.z, (row * args.m + m) * args.k + c, n); },
        sums);
    for (int r = 0; r < kRows; ++r) store_any(sums[r], dst, (row * args.l + l + r) * args.k + c, n);
  });
}

void run_left(const LeftProduct& args, int64_t first, int64_t last, const Output& dst) {
  for (int64_t row = first; row < last; ++row) {
    int64_t l = 0;
    for (; l + kRowsAtOnce <= args.l; l += kRowsAtOnce) left_rows<kRowsAtOnce>(args, row, l, dst);
    for (; l < args.l; ++l) left_rows<1>(args, row, l, dst);
  }
}

// Rows [l, l + kRows) of the gradient, from each Z as (k, m): then m runs along the vectors.
template <int kRows, class T>
HWY_INLINE void left_grad_rows(const LeftGrad& args, const T* grad, const float* turned, int64_t l,
                               const Output& dst) {
  for_vectors(0, args.m, [&](int64_t c, std::size_t n) HWY_ATTR {
    V32 sums[kRows];
    for (V32& sum : sums) sum = set(0.0f);
    for (int64_t t = args.first; t < args.last; ++t) {
      const T* factors = grad + (t * args.l + l) * args.k;
      const float* vectors = turned + (t - args.first) * args.m * args.k + c;
      for (int64_t k = 0; k < args.k; ++k) {
        const V32 vector = load_some(vectors + k * args.m, n);
        for (int r = 0; r < kRows; ++r)
          sums[r] = hn::MulAdd(set(scalar(factors + r * args.k + k)), vector, sums[r]);
      }
    }
    for (int r = 0; r < kRows; ++r) store_any(sums[r], dst, (l + r) * args.m + c, n);
  });
}

template <class T>
HWY_INLINE void left_grad(const LeftGrad& args, const float* turned, const Output& dst) {
  const T* grad = args.grad.as<T>();
  int64_t l = 0;
  for (; l + 2 * kRowsAtOnce <= args.l; l += 2 * kRowsAtOnce)
    left_grad_rows<2 * kRowsAtOnce>(args, grad, turned, l, dst);
  for (; l < args.l; ++l) left_grad_rows<1>(args, grad, turned, l, dst);
}

template <class T>
HWY_INLINE void turn_rows(const LeftGrad& args, float* turned) {
  const T* z = args.z.as<T>() + args.first * args.m * args.k;
  for (int64_t t = args.first; t < args.last;
       ++t, z += args.m * args.k, turned += args.m * args.k) {
    for (int64_t m = 0; m < args.m; ++m) {
      for (int64_t k = 0; k < args.k; ++k) turned[k * args.m + m] = scalar(z + m * args.k + k);
    }
  }
}

void run_left_grad(const LeftGrad& args, float* turned, const Output& dst) {
  args.z.dtype() == DType::kBF16 ? turn_rows<BFloat16>(args, turned)
                                 : turn_rows<float>(args, turned);
  args.grad.dtype() == DType::kBF16 ? left_grad<BFloat16>(args, turned, dst)
                                    : left_grad<float>(args, turned, dst);
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(run_product);
HWY_EXPORT(run_grad);
HWY_EXPORT(run_left);
HWY_EXPORT(run_left_grad);
}  // namespace

void block_product(const BlockProduct& args, Output dst) {
  if (runs_in_double({args.x, args.blocks, dst})) return block_product_reference<double>(args, dst);
  parallel_ranges(args.rows, args.count * args.in, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(run_product)(args, first, last, dst);
  });
}

void transposed_blocks(Input blocks, int64_t count, int64_t in, int64_t out, Output dst) {
  bool wide = runs_in_double({blocks, dst});
  for (int64_t i = 0; i < count * in * out; ++i) {
    int64_t block = i / (in * out) * in * out, element = i % (in * out);
    int64_t other = block + element % in * out + element / in;
    wide ? dst.store(i, blocks.load<double>(other)) : dst.store(i, blocks.load<float>(other));
  }
}

void block_product_grad(const BlockGrad& args, Output dst) {
  if (runs_in_double({args.x, args.grad, dst}))
    return block_product_grad_reference<double>(args, dst);
  HWY_DYNAMIC_DISPATCH(run_grad)(args, dst);
}

void left_product(const LeftProduct& args, Output dst) {
  if (runs_in_double({args.z, args.w, dst})) return left_product_reference<double>(args, dst);
  parallel_ranges(args.rows, args.m * args.k, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(run_left)(args, first, last, dst);
  });
}

void left_product_grad(const LeftGrad& args, std::span<float> scratch, Output dst) {
  if (runs_in_double({args.z, args.grad, dst}))
    return left_product_grad_reference<double>(args, dst);
  auto count = static_cast<std::size_t>((args.last - args.first) * args.m * args.k);
  ensure(scratch.size() >= count, "{} numbers of scratch where {} are needed", scratch.size(),
         count);
  HWY_DYNAMIC_DISPATCH(run_left_grad)(args, scratch.data(), dst);
}

}  // namespace inlay::kernels
#endif
