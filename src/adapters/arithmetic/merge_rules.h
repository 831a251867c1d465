// How several tensors become one: weighted sums of all of their elements, of some, or of those that
// agree.
//
// TIES: Yadav et al. 2023, arXiv:2306.01708, algorithm 1: trim, elect a sign, average what agrees.
// DARE: Yu et al. 2023, arXiv:2311.03099, eq. (4): drop at random with probability 1 - density and
// divide what is left by density.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "base/random.h"

namespace inlay {

enum class Pruning { kNone, kMagnitude, kRandom };
enum class SignVote { kTotal, kFrequency };  // the sign of the sum, or of most

struct MergeRule {
  Pruning pruning = Pruning::kNone;
  bool elect = false;  // TIES: the mean of the weighted elements whose sign was elected
  double density = 1;  // share of elements that pruning keeps
  SignVote vote = SignVote::kTotal;
};

// Zeroes all but the round-down of density * size elements of the largest magnitude; of equal ones
// the first stay.
void keep_largest(Eigen::MatrixXd& tensor, double density);

// Keeps each element with probability `density` and divides it by that.
void keep_random(Eigen::MatrixXd& tensor, double density, const Stream& stream);

// sum_i weights[i] tensors[i] under the rule; draws of tensor i come from "<name>/<i>". An election
// is held among weighted elements, so that a negative weight turns a tensor around.
// REQUIRES: at least one tensor, all of one shape.
Eigen::MatrixXd merge_tensors(std::vector<Eigen::MatrixXd> tensors,
                              const std::vector<double>& weights, const MergeRule& rule,
                              uint64_t seed, const std::string& name);

}  // namespace inlay
