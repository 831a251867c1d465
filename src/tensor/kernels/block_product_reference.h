// Products with small matrices, one element at a time, computed in T (float or double).
#pragma once

#include "tensor/kernels/block_product.h"

namespace inlay::kernels {

template <class T>
void block_product_reference(const BlockProduct& args, Output dst) {
  for (int64_t i = 0; i < args.rows * args.count * args.out; ++i) {
    int64_t part = i / args.out;  // of all rows, end to end
    int64_t block = part % args.count * args.in;
    T sum = 0;
    for (int64_t k = 0; k < args.in; ++k) {
      sum += args.x.load<T>(part * args.in + k) *
             args.blocks.load<T>((block + k) * args.out + i % args.out);
    }
    dst.store(i, sum);
  }
}

template <class T>
void block_product_grad_reference(const BlockGrad& args, Output dst) {
  for (int64_t i = 0; i < args.count * args.in * args.out; ++i) {
    int64_t x_channel = i / args.out;
    int64_t grad_channel = x_channel / args.in * args.out + i % args.out;
    T sum = 0;
    for (int64_t t = args.first; t < args.last; ++t) {
      sum += args.x.load<T>(t * args.count * args.in + x_channel) *
             args.grad.load<T>(t * args.count * args.out + grad_channel);
    }
    dst.store(i, sum);
  }
}

template <class T>
void left_product_reference(const LeftProduct& args, Output dst) {
  for (int64_t i = 0; i < args.rows * args.l * args.k; ++i) {
    int64_t row = i / (args.l * args.k), l = i / args.k % args.l;
    T sum = 0;
    for (int64_t m = 0; m < args.m; ++m) {
      sum +=
          args.w.load<T>(l * args.m + m) * args.z.load<T>((row * args.m + m) * args.k + i % args.k);
    }
    dst.store(i, sum);
  }
}

template <class T>
void left_product_grad_reference(const LeftGrad& args, Output dst) {
  for (int64_t i = 0; i < args.l * args.m; ++i) {
    T sum = 0;
    for (int64_t t = args.first; t < args.last; ++t) {
      for (int64_t k = 0; k < args.k; ++k) {
        sum += args.grad.load<T>((t * args.l + i / args.m) * args.k + k) *
               args.z.load<T>((t * args.m + i % args.m) * args.k + k);
      }
    }
    dst.store(i, sum);
  }
}

}  // namespace inlay::kernels
