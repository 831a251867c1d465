// A tensor that is a function of trainable ones, such as a weight update built from small factors:
// made anew when they change, used by ops like any parameter, its gradient handed down to them once
// a step. Because that map is linear in the gradient, sums over chunks are taken before it, in the
// fixed tree, and the result depends on micro-batches no more than any other gradient.
//
//   DerivedParameter delta("delta", {&a, &b},
//       [](auto values) { return product(values[1], values[0]); },
//       [](auto values, const Tensor& grad) { return std::vector<Tensor>{...}; });
//   y = add(context, y, linear(context, x, {.weight = &delta.current()}, Precision::kFull));
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "autograd/parameter.h"

namespace inlay {

class DerivedParameter {
 public:
  using Values = std::span<const Tensor>;  // of the sources, in their order; all F32 or all F64
  using Compute = std::function<Tensor(Values)>;
  // Gradients of the sources from the gradient of the result; an undefined one is none.
  using Pull = std::function<std::vector<Tensor>(Values, const Tensor& grad)>;

  // REQUIRES: the sources outlive this.
  DerivedParameter(std::string name, std::vector<Parameter*> sources, Compute compute, Pull pull);
  DerivedParameter(const DerivedParameter&) = delete;
  DerivedParameter& operator=(const DerivedParameter&) = delete;

  // The result for the sources as they are now. Its own sources may be derived, too: name their
  // parameter() as a source and they follow.
  Parameter& current();
  Parameter& parameter() { return result_; }

  // Hands the gradient that arrived since the last time down to the sources. Parameters call this
  // before they give their own gradient away.
  void pull();

 private:
  friend class Parameter;
  std::vector<Tensor> values() const;

  std::vector<Parameter*> sources_;
  Compute compute_;
  Pull pull_;
  Parameter result_;
  std::vector<uint64_t> seen_;  // versions of the sources that result_ was made from
  std::mutex lock_;
};

}  // namespace inlay
