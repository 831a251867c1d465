// One or several numbers per picture, by mean squared error.
#include "eval/picture_task.h"
#include "eval/regression_task.h"

namespace inlay {

const TaskInfo& task_image_regression() {
  static const TaskInfo info{.name = "image-regression",
                             .summary = "One or several numbers per picture.",
                             .data = TaskKind::kImageValues,
                             .problem_type = "regression",
                             .choosing_metrics = {"negative_mse", "pearson", "spearman"},
                             .headline = {"pearson", "spearman", "mse"},
                             .make = [](const std::vector<std::string>&, int64_t outputs,
                                        const TaskOptions& options) -> std::unique_ptr<Task> {
                               refuse_mixing(options.augmentation, "image-regression");
                               return std::make_unique<PictureTask<RegressionTask>>(options,
                                                                                    outputs);
                             }};
  return info;
}

}  // namespace inlay
