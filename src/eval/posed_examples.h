// Examples as a task poses them on an occasion: the same ones, or copies with targets of their own.
#pragma once

#include <deque>
#include <vector>

#include "eval/task.h"

namespace inlay {

class PosedExamples {
 public:
  // For training, `examples` are an effective batch: what is mixed does not depend on how it is
  // computed in parts.
  PosedExamples(const Task& task, ExampleSpan examples, const Occasion& occasion) {
    all_.reserve(examples.size());
    for (const EncodedExample* example : examples) {
      std::optional<EncodedExample> posed = task.posed(*example, occasion);
      if (posed.has_value()) made_.push_back(std::move(*posed));
      all_.push_back(posed.has_value() ? &made_.back() : example);
    }
    if (occasion.kind == Occasion::Kind::kTraining && all_.size() > 1) mix(task, occasion);
  }

  // In order; valid as long as this and the examples are.
  const std::vector<const EncodedExample*>& all() const { return all_; }

 private:
  // Each with the next one, the last with the first.
  void mix(const Task& task, const Occasion& occasion) {
    std::vector<const EncodedExample*> posed = all_;
    for (std::size_t i = 0; i < posed.size(); ++i) {
      std::optional<EncodedExample> mixed =
          task.mixed(*posed[i], *posed[(i + 1) % posed.size()], occasion);
      if (!mixed.has_value()) continue;
      made_.push_back(std::move(*mixed));
      all_[i] = &made_.back();
    }
  }

  std::deque<EncodedExample> made_;
  std::vector<const EncodedExample*> all_;
};

}  // namespace inlay
