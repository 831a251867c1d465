// Any number of labels per picture, by binary cross entropy of each; judged as MedMNIST does, by
// the mean AUC first.
#include "eval/multi_label_task.h"
#include "eval/picture_task.h"

namespace inlay {

const TaskInfo& task_multi_label_image_classification() {
  static const TaskInfo info{
      .name = "multi-label-image-classification",
      .summary = "Any number of labels per picture.",
      .data = TaskKind::kImageLabels,
      .problem_type = "multi_label_classification",
      .choosing_metrics = {"roc_auc", "label_accuracy", "micro_f1", "macro_f1", "accuracy"},
      .headline = {"roc_auc", "label_accuracy", "macro_f1", "micro_f1", "accuracy"},
      .make = [](const std::vector<std::string>& classes, int64_t,
                 const TaskOptions& options) -> std::unique_ptr<Task> {
        return std::make_unique<PictureTask<MultiLabelTask>>(options, classes);
      }};
  return info;
}

}  // namespace inlay
