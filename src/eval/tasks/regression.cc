// One or several numbers per text, by mean squared error.
#include "eval/regression_task.h"

namespace inlay {

const TaskInfo& task_regression() {
  static const TaskInfo info{.name = "regression",
                             .summary = "One or several numbers per text.",
                             .data = TaskKind::kRegression,
                             .problem_type = "regression",
                             .peft_type = "SEQ_CLS",
                             .choosing_metrics = {"negative_mse", "pearson", "spearman"},
                             .headline = {"pearson", "spearman", "mse"},
                             .make = [](const std::vector<std::string>&, int64_t outputs,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<RegressionTask>(outputs);
                             }};
  return info;
}

}  // namespace inlay
