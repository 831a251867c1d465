// One class per picture, by cross entropy; while training, the picture is changed at random.
#include "eval/image_examples.h"
#include "eval/single_label_task.h"

namespace inlay {
namespace {

class ImageClassification : public SingleLabelTask {
 public:
  ImageClassification(std::vector<std::string> classes, const TaskOptions& options)
      : SingleLabelTask(std::move(classes), options),
        augmentation_(options.augmentation),
        seed_(options.seed) {}

  std::optional<EncodedExample> posed(const EncodedExample& example,
                                      const Occasion& occasion) const override {
    if (occasion.kind != Occasion::Kind::kTraining || !augmentation_.any()) return std::nullopt;
    return augmented(example, augmentation_, seed_, occasion.epoch);
  }

 private:
  Augmentation augmentation_;
  uint64_t seed_;
};

}  // namespace

const TaskInfo& task_image_classification() {
  static const TaskInfo info{
      .name = "image-classification",
      .summary = "One class per picture.",
      .data = TaskKind::kImageLabel,
      .problem_type = "single_label_classification",
      .choosing_metrics = {"accuracy", "macro_f1", "micro_f1", "mcc", "roc_auc"},
      .headline = {"accuracy", "macro_f1", "mcc", "roc_auc"},
      .make = [](const std::vector<std::string>& classes, int64_t,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        return std::make_unique<ImageClassification>(classes, options);
      }};
  return info;
}

}  // namespace inlay
