// Normalisation of channels over all rows of a batch (Ioffe and Szegedy 2015):
//
//   xhat = (x - mean) * rstd,  rstd = 1 / sqrt(variance + epsilon),  y = xhat * gamma + beta
//
// and its frozen form, one factor and one addend for each channel. Vectors of channels are f32.
#pragma once

#include <limits>
#include <span>

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// dst(r, c) = src(r, c) factors(c) + addends(c), brought into [least, most]: ReLU is [0, infinity).
// What is not a number stays so. dst may have the address and type of src.
struct ChannelAffine {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input src;             // (rows, C)
  Input factors;         // (C)
  Input addends;         // (C)
  Output dst;            // (rows, C)
  float least = -std::numeric_limits<float>::infinity();
  float most = std::numeric_limits<float>::infinity();
};
void channel_affine(const ChannelAffine& args);

// grad_x(r, c) = grad_y(r, c) factors(c), and 0 where y is not between least and most.
struct ChannelAffineBackward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input y;               // (rows, C)
  Input grad_y;          // (rows, C)
  Input factors;         // (C)
  Output grad_x;         // (rows, C); may have the address and type of grad_y
  float least = 0, most = 0;
};
void channel_affine_backward(const ChannelAffineBackward& args);

// How many numbers of scratch sums over rows take; none in f64.
std::size_t batch_sums_scratch(int64_t rows, int64_t channels);

// The mean of each channel, and its variance: the mean of (x - mean)^2. Sums are added in a binary
// tree over blocks of 256 rows, so the bits do not depend on threads. REQUIRES: rows > 0.
struct BatchMoments {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input src;             // (rows, C)
  Output mean;           // (C)
  Output variance;       // (C)
};
void batch_moments(const BatchMoments& args, std::span<float> scratch);

struct BatchNormForward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input x;               // (rows, C)
  Input mean, rstd;      // (C)
  Input gamma, beta;     // (C)
  Output y;              // (rows, C)
  Output xhat;           // (rows, C), or absent: kept for backward
};
void batch_norm_forward(const BatchNormForward& args);

// Where mean and variance are those of the batch itself:
// grad_x = gamma * rstd * (grad_y - mean(grad_y) - xhat * mean(grad_y * xhat)), means over rows,
// whose sums are added as those of batch_moments().
struct BatchNormBackward {
  int64_t rows = 0;
  int64_t channels = 0;  // C
  Input grad_y;          // (rows, C)
  Input xhat;            // (rows, C)
  Input factors;         // (C): gamma * rstd
  Output grad_x;         // (rows, C)
};
void batch_norm_backward(const BatchNormBackward& args, std::span<float> scratch);

}  // namespace inlay::kernels
