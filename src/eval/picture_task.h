// A task as it is for pictures: while training, every picture is changed at random and, where that
// is asked for, mixed with the next one of the batch.
//
//   PictureTask<SingleLabelTask> task(options, classes, options);
#pragma once

#include <optional>
#include <utility>

#include "eval/image_examples.h"
#include "eval/task.h"

namespace inlay {

template <class Base>
class PictureTask : public Base {
 public:
  // The further arguments are those of Base.
  template <class... Args>
  explicit PictureTask(const TaskOptions& options, Args&&... args)
      : Base(std::forward<Args>(args)...), how_(options.augmentation), seed_(options.seed) {}

  std::optional<EncodedExample> posed(const EncodedExample& example,
                                      const Occasion& occasion) const override {
    if (occasion.kind != Occasion::Kind::kTraining || !how_.any()) return std::nullopt;
    return augmented(example, how_, seed_, occasion.epoch);
  }

  std::optional<EncodedExample> mixed(const EncodedExample& posed, const EncodedExample& partner,
                                      const Occasion& occasion) const override {
    if (occasion.kind != Occasion::Kind::kTraining || !how_.mixes()) return std::nullopt;
    return inlay::mixed(posed, partner, how_, seed_, occasion.epoch);
  }

 private:
  Augmentation how_;
  uint64_t seed_;
};

}  // namespace inlay
