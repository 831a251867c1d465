// A chain of hashes over the exact loss and gradient norm of every step, so that a replay can say
// at which step it first differs. Only every `every`-th link is kept, and the chain goes on after a
// resume.
//
//   StepDigest digest(50);
//   digest.add(step, loss, gradient_norm);
//   manifest.steps = digest.to_json();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace inlay {

class StepDigest {
 public:
  explicit StepDigest(int64_t every) : every_(every) {}
  // What to_json() gave, from a checkpoint.
  static StepDigest from_json(const Json& json, std::string_view where);

  // REQUIRES: step = count() + 1.
  void add(int64_t step, double loss, double gradient_norm);
  int64_t count() const { return count_; }
  Json to_json() const;

 private:
  struct Mark {
    int64_t step;
    std::string loss;  // hexadecimal, exact
    std::string gradient_norm;
    std::string digest;
  };

  int64_t every_;
  int64_t count_ = 0;
  std::string last_;  // hexadecimal SHA-256 of (previous link, step, loss, gradient norm)
  std::vector<Mark> marks_;
};

// The first step whose marks differ in two digests, or 0 when none does. It is exact to within
// `every` steps.
int64_t first_difference(const Json& a, const Json& b);

}  // namespace inlay
