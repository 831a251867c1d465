// The lengths of the rows of W + s B A, as DoRA divides by them (Liu et al. 2024,
// arXiv:2402.09353, eq. 5), without W + s B A itself:
//
//   |W + s B A|^2 = |W|^2 + 2 s rowsum((W A^T) * B) + s^2 rowsum((B (A A^T)) * B)
//
// W A^T comes from pushing the rows of A through the packed base, so W is read as numbers once.
#pragma once

#include <map>
#include <mutex>

#include "autograd/frozen_weight.h"
#include "autograd/op_context.h"
#include "nn/site.h"

namespace inlay {

// |W|^2 of each row, F64, for a weight (out, in).
Tensor row_squares(const Tensor& weight);

// |W| of each row of a site's weight, (out) in F32: the magnitudes that DoRA starts from, equal to
// DoraNorm::lengths() of factors whose product is zero.
Tensor row_lengths(const Site& site);

class DoraNorm {
 public:
  // REQUIRES: the factors outlive this. `squares` as row_squares() gives them.
  DoraNorm(Tensor squares, const Parameter& a, const Parameter& b, float scale)
      : squares_(std::move(squares)), a_(a), b_(b), scale_(scale) {}

  // The lengths for the factors as they are, (out) in full precision; made once for each of their
  // versions. Any number of contexts may ask.
  Tensor lengths(OpContext& context, const FrozenWeight& weight);

 private:
  Tensor measure(OpContext& context, const FrozenWeight& weight) const;

  struct Measured {
    uint64_t a_version = 0, b_version = 0;
    Tensor lengths;
  };
  Tensor squares_;
  const Parameter& a_;
  const Parameter& b_;
  float scale_;
  std::mutex lock_;
  std::map<DType, Measured> measured_;  // by the compute type
};

}  // namespace inlay
