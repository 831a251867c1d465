// Batch normalisation (Ioffe and Szegedy 2015) of rows that are places of maps. As a base has it,
// frozen, it is one factor and one addend for each channel.
#pragma once

#include <limits>
#include <optional>

#include "autograd/op_context.h"
#include "tensor/kernels/activation.h"

namespace inlay {

// Activations that bring numbers into a range, so that their derivative can be told from what they
// give: ReLU is [0, infinity), ReLU6 is [0, 6].
struct Clamp {
  float least = -std::numeric_limits<float>::infinity();
  float most = std::numeric_limits<float>::infinity();
};
std::optional<Clamp> clamp_of(kernels::Activation kind);

// y = x * scale + shift, both F32 (channels) and not trained, brought within the clamp. Backward:
// dx = dy * scale where y lies inside of it. Only y is kept.
Variable channel_affine(OpContext& context, const Variable& x, const Tensor& scale,
                        const Tensor& shift, Precision precision, Clamp clamp = {});

// Of the last batch that was normalised by its own: the mean of each channel, and the variance that
// PyTorch's running_var takes, sum of (x - mean)^2 over rows - 1.
struct BatchStatistics {
  Tensor mean, variance;  // (channels), full precision, owned
};

struct BatchNormWeights {
  Tensor mean, variance;  // (channels): what is normalised by, unless batch_statistics
  float eps = 1e-5f;
  Tensor gamma, beta;                  // (channels), F32
  Parameter* trained_gamma = nullptr;  // stand in for the frozen ones
  Parameter* trained_beta = nullptr;
  // By the mean and the variance over all rows, whose gradients count. It couples the examples of a
  // batch: micro-batches would give other numbers.
  bool batch_statistics = false;
  BatchStatistics* seen = nullptr;         // is given those, where wanted
  Precision precision = Precision::kFull;  // of the result
};

// (x - mean) / sqrt(variance + eps) * gamma + beta. Backward: dx; dgamma and dbeta, per chunk,
// where trained. kInput for a single row with batch_statistics, which has no variance.
Variable batch_norm(OpContext& context, const Variable& x, const BatchNormWeights& weights);

}  // namespace inlay
