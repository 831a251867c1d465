// One class per picture, by cross entropy.
#include "eval/picture_task.h"
#include "eval/single_label_task.h"

namespace inlay {

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
        return std::make_unique<PictureTask<SingleLabelTask>>(options, classes, options);
      }};
  return info;
}

}  // namespace inlay
