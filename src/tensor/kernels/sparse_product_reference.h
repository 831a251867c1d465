// Products with sparse matrices, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/sparse_product.h"

namespace inlay::kernels {

template <class T>
void sparse_product_reference(const SparseProduct& args, Output dst) {
  for (int64_t i = 0; i < args.rows * args.out; ++i) {
    int64_t row = i / args.out, j = i % args.out;
    T sum = 0;
    for (int32_t k = args.order.starts[j]; k < args.order.starts[j + 1]; ++k)
      sum += args.values.load<T>(args.order.elements[k]) *
             args.x.load<T>(row * args.in + args.order.channels[k]);
    dst.store(i, sum);
  }
}

template <class T>
void sparse_grad_reference(const SparseGrad& args, Output dst) {
  for (int64_t j = 0; j < args.out; ++j) {
    for (int32_t k = args.order.starts[j]; k < args.order.starts[j + 1]; ++k) {
      T sum = 0;
      for (int64_t t = args.first; t < args.last; ++t)
        sum += args.grad.load<T>(t * args.out + j) *
               args.x.load<T>(t * args.in + args.order.channels[k]);
      dst.store(args.order.elements[k], sum);
    }
  }
}

}  // namespace inlay::kernels
