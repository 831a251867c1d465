// One small batch, run again and again on a learner that is thrown away.
#pragma once

#include <vector>

#include "check/check.h"
#include "eval/posed_examples.h"

namespace inlay {

// What a probe holds at the most.
inline constexpr int64_t kProbeTokens = 256;

bool same_bits(const Tensor& a, const Tensor& b);
double largest_difference(const Tensor& a, const Tensor& b);

class Probe {
 public:
  // The first training examples, as many as `limit` tokens hold; at least two, which some losses
  // compare. References must outlive the probe.
  Probe(const CheckSubject& subject, Learner& learner, const StepWay& way,
        int64_t limit = kProbeTokens);

  int64_t tokens() const;
  uint64_t activation_bytes() const { return context_.arena.touched_bytes(); }

  // With these hooks at this gate, or of the base alone (null).
  Tensor logits(SiteHooks* hooks, Tap* tap = nullptr, float gate = 1.0f);
  // Of this base alone, which has the learner's shape; of a language model those of the
  // vocabulary, where logits() are the hidden rows that give them.
  Tensor base_logits(const Model& model);
  // The loss, and the gradients of Learner::parameters(), undefined where none arrives.
  double gradients(std::vector<Tensor>& taken);
  // A step of sign descent: every number moves, however small its gradient.
  void step(const std::vector<Tensor>& taken);

 private:
  Learner& learner_;
  PosedExamples posed_;
  Context context_;
};

}  // namespace inlay
