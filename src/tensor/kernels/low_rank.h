// The skinny products of low-rank adapters: a long matrix of T rows against a factor of rank r (1
// to 64).
//
//   project      u  = s * x W^T      x (T, channels), W of rank r, u (T, r)
//   expand_add   y += s * u W        y (T, channels)
//   weight_grad  dW = s * u^T x      over the rows given
//
// W is held either way round, so that the same three serve LoRA forward and backward, with A (r,
// in) and B (out, r):
//
//   u  = x A^T       project, kRankByChannel        y  += s * u B^T   expand_add, kChannelByRank
//   du = s * dy B    project, kChannelByRank        dx += du A        expand_add, kRankByChannel
//   dA = du^T x      weight_grad, kRankByChannel    dB  = s * dy^T u  weight_grad, kChannelByRank
//
// x, y are f32 or bf16; W, u and their gradients are f32; arithmetic is f32, and bf16 is rounded
// once. With dtype kF64 everything is f64 and the plain reference runs. A row's result never
// depends on other rows or on the thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace inlay::kernels {

enum class FactorLayout {
  kRankByChannel,  // (r, channels): LoRA's A
  kChannelByRank,  // (channels, r): LoRA's B
};

// Strides count elements from row to row; W and u are contiguous.
struct LowRankProject {
  int64_t rows = 0;
  int64_t channels = 0;
  int64_t rank = 0;
  float scale = 1.0f;
  DType dtype = DType::kF32;  // of x
  FactorLayout layout = FactorLayout::kRankByChannel;
  const void* x = nullptr;  // (rows, channels)
  int64_t x_stride = 0;
  const void* factor = nullptr;
  void* u = nullptr;  // (rows, r), overwritten
};

struct LowRankExpandAdd {
  int64_t rows = 0;
  int64_t channels = 0;
  int64_t rank = 0;
  float scale = 1.0f;
  DType dtype = DType::kF32;  // of y
  FactorLayout layout = FactorLayout::kChannelByRank;
  const void* u = nullptr;  // (rows, r)
  const void* factor = nullptr;
  void* y = nullptr;  // (rows, channels), added to
  int64_t y_stride = 0;
};

struct LowRankWeightGrad {
  int64_t rows = 0;  // of one chunk: pass pointers to its first rows
  int64_t channels = 0;
  int64_t rank = 0;
  float scale = 1.0f;
  DType dtype = DType::kF32;  // of x
  FactorLayout layout = FactorLayout::kRankByChannel;
  const void* x = nullptr;  // (rows, channels)
  int64_t x_stride = 0;
  const void* u = nullptr;      // (rows, r)
  void* factor_grad = nullptr;  // overwritten; zeros for no rows
};

// Room for the packed factor of one project or expand_add.
std::size_t low_rank_scratch_bytes(int64_t channels, int64_t rank);

// Parallel over rows.
void low_rank_project(const LowRankProject& args, std::span<std::byte> scratch);
void low_rank_expand_add(const LowRankExpandAdd& args, std::span<std::byte> scratch);

// Single-threaded, so that a caller may run chunks in parallel and sum them in a fixed tree. Rows
// are added in order.
void low_rank_weight_grad(const LowRankWeightGrad& args);

}  // namespace inlay::kernels
