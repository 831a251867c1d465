// What an adapter adds to the weights of its sites, W' = W + dW: as factors where the method keeps
// factors, and as a matrix from SiteHook::merge for every method that can be merged.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <map>

#include "adapters/adapter.h"

namespace inlay {

struct WeightUpdate {
  // dW = scale b a, for plain LoRA; empty for other methods.
  Eigen::MatrixXd a, b;
  double scale = 1;
  Eigen::MatrixXd dense;  // dW where there are no factors
  Eigen::VectorXd bias;   // what the bias grows by; empty: nothing

  bool factored() const { return a.size() > 0; }
  int64_t rows() const { return factored() ? b.rows() : dense.rows(); }
  int64_t columns() const { return factored() ? a.cols() : dense.cols(); }
  // Of the factors; the smaller dimension where there are none.
  int64_t rank() const { return factored() ? a.rows() : std::min(rows(), columns()); }
  Eigen::MatrixXd matrix() const { return factored() ? Eigen::MatrixXd(scale * b * a) : dense; }
};

// The site's weight as the base's file has it, in double. REQUIRES: the site has one.
Eigen::MatrixXd base_weight(const Site& site);

// Whether the adapter adds something to this site's weight that can be told.
bool has_weight_update(Adapter& adapter, const Site& site);

// The update at a linear site. kUsage naming method and site where there is none to tell.
WeightUpdate weight_update(Adapter& adapter, const Site& site);

// |dW|_F / |W|_F at such a site, without a decomposition.
double relative_change(Adapter& adapter, const Site& site);

}  // namespace inlay
