#include "eval/task.h"

#include "base/nearest.h"

namespace inlay {

#define INLAY_TASK(name) const TaskInfo& task_##name();
#include "eval/tasks/list.h"
#undef INLAY_TASK

std::vector<const TaskInfo*> all_tasks() {
  return {
#define INLAY_TASK(name) &task_##name(),
#include "eval/tasks/list.h"
#undef INLAY_TASK
  };
}

std::vector<const TaskInfo*> headless_tasks() {
  std::vector<const TaskInfo*> tasks = all_tasks();
  std::erase_if(tasks, [](const TaskInfo* info) { return info->layer == OutputLayer::kHead; });
  return tasks;
}

void require_trainable(const TaskInfo& task) {
  require(task.trainable, ErrorKind::kUsage,
          "task {} has no loss{} of its own; use it with inlay {}", task.name,
          task.headline.empty() ? " and no figures" : "",
          task.headline.empty() ? "predict" : "eval or predict");
}

const TaskInfo& find_task(const std::string& name) {
  std::vector<std::string> names;
  std::string known;
  for (const TaskInfo* info : all_tasks()) {
    if (info->name == name) return *info;
    names.push_back(info->name);
    known += (known.empty() ? "" : ", ") + info->name;
  }
  fail(ErrorKind::kUsage, "task \"{}\" is unknown; did you mean \"{}\"? Known: {}", name,
       nearest_name(name, names), known);
}

}  // namespace inlay
