#include "adapters/arithmetic/merge_rules.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace inlay {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

double sign_of(double value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; }

// The elected sign of element i; a draw goes to plus.
double elected(const std::vector<MatrixXd>& tensors, Index i, SignVote vote) {
  double sum = 0;
  for (const MatrixXd& tensor : tensors) {
    double value = tensor.data()[i];
    sum += vote == SignVote::kTotal ? value : sign_of(value);
  }
  return sum >= 0 ? 1.0 : -1.0;
}

MatrixXd mean_of_agreeing(const std::vector<MatrixXd>& tensors, SignVote vote) {
  MatrixXd merged = MatrixXd::Zero(tensors.front().rows(), tensors.front().cols());
  for (Index i = 0; i < merged.size(); ++i) {
    double sign = elected(tensors, i, vote), sum = 0, count = 0;
    for (const MatrixXd& tensor : tensors) {
      if (sign_of(tensor.data()[i]) != sign) continue;
      sum += tensor.data()[i];
      count += 1;
    }
    merged.data()[i] = sum / std::max(count, 1.0);
  }
  return merged;
}

}  // namespace

void keep_largest(MatrixXd& tensor, double density) {
  auto keep = static_cast<Index>(density * static_cast<double>(tensor.size()));
  if (keep >= tensor.size()) return;
  if (keep == 0) {
    tensor.setZero();
    return;
  }
  std::vector<double> sizes(static_cast<std::size_t>(tensor.size()));
  std::transform(tensor.data(), tensor.data() + tensor.size(), sizes.begin(),
                 [](double value) { return std::fabs(value); });
  std::nth_element(sizes.begin(), sizes.begin() + (keep - 1), sizes.end(), std::greater<>());
  double least = sizes[static_cast<std::size_t>(keep - 1)];
  Index larger = std::count_if(tensor.data(), tensor.data() + tensor.size(),
                               [&](double value) { return std::fabs(value) > least; });
  Index equal = keep - larger;
  for (Index i = 0; i < tensor.size(); ++i) {
    double size = std::fabs(tensor.data()[i]);
    bool stays = size > least || (size == least && equal-- > 0);
    if (!stays) tensor.data()[i] = 0;
  }
}

void keep_random(MatrixXd& tensor, double density, const Stream& stream) {
  for (Index i = 0; i < tensor.size(); ++i) {
    bool stays = stream.uniform(static_cast<uint64_t>(i)) < density;
    tensor.data()[i] = stays ? tensor.data()[i] / density : 0.0;
  }
}

MatrixXd merge_tensors(std::vector<MatrixXd> tensors, const std::vector<double>& weights,
                       const MergeRule& rule, uint64_t seed, const std::string& name) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (rule.pruning == Pruning::kMagnitude) keep_largest(tensors[i], rule.density);
    if (rule.pruning == Pruning::kRandom)
      keep_random(tensors[i], rule.density, Stream(seed, name + "/" + std::to_string(i)));
    tensors[i] *= weights[i];
  }
  if (rule.elect) return mean_of_agreeing(tensors, rule.vote);
  MatrixXd sum = tensors.front();
  for (std::size_t i = 1; i < tensors.size(); ++i) sum += tensors[i];
  return sum;
}

}  // namespace inlay
