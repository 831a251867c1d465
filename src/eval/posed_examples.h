// Examples as a task poses them on an occasion: the same ones, or copies with targets of their own.
#pragma once

#include <deque>
#include <vector>

#include "eval/task.h"

namespace inlay {

class PosedExamples {
 public:
  PosedExamples(const Task& task, ExampleSpan examples, const Occasion& occasion) {
    for (const EncodedExample* example : examples) {
      std::optional<EncodedExample> posed = task.posed(*example, occasion);
      if (posed.has_value()) made_.push_back(std::move(*posed));
      all_.push_back(posed.has_value() ? &made_.back() : example);
    }
  }

  // In order; valid as long as this and the examples are.
  const std::vector<const EncodedExample*>& all() const { return all_; }

 private:
  std::deque<EncodedExample> made_;
  std::vector<const EncodedExample*> all_;
};

}  // namespace inlay
