#include "eval/opened_learner.h"

#include "models/base_text.h"

namespace inlay {
namespace {

std::string headless_names() {
  std::string names;
  for (const TaskInfo* info : headless_tasks()) names += (names.empty() ? "" : ", ") + info->name;
  return names;
}

// A head serves the task that it was trained for; what needs none goes with every adapter.
const TaskInfo& task_of(const LoadedAdapter& loaded, const std::string& wanted) {
  const std::string& trained = loaded.label.task;
  const TaskInfo* info = wanted.empty() ? nullptr : &find_task(wanted);
  if (info != nullptr && info->layer != OutputLayer::kHead) return *info;
  require(
      info == nullptr || wanted == trained || trained.empty(), ErrorKind::kUsage,
      "the adapter was trained for {}, not for {}; leave the task out, or use one that needs no "
      "head: {}",
      trained, wanted, headless_names());
  bool has_own = !trained.empty() && find_task(trained).layer != OutputLayer::kHead;
  require(loaded.head != nullptr || has_own, ErrorKind::kInput,
          "the adapter has no head, so it gives no labels; tasks that need none are {}",
          headless_names());
  return find_task(trained.empty() ? wanted : trained);
}

// Files of an adapter may say of its task what its head does not bear out.
void require_head_for(const Learner& learner, const TaskInfo& info) {
  if (learner.head == nullptr) return;
  const HeadLayout& layout = learner.head->layout();
  HeadKind kind = learner.task->head_kind();
  bool fits = learner.head->outputs() == learner.task->outputs() &&
              (layout.input == HeadInput::kPyramid) == (kind == HeadKind::kDetection) &&
              layout.cosine == (kind == HeadKind::kVerification);
  require(fits, ErrorKind::kInput,
          "the adapter's head has {} outputs and is none for its task, {}, with {} outputs; its "
          "files do not belong together",
          learner.head->outputs(), info.name, learner.task->outputs());
}

}  // namespace

Learner learner_from(std::shared_ptr<const Model> model, LoadedAdapter loaded,
                     const LearnerReading& reading) {
  const TaskInfo& info = task_of(loaded, reading.task);
  Learner learner;
  learner.model = std::move(model);
  learner.adapter = std::move(loaded.adapter);
  require(info.layer != OutputLayer::kHead || reading.pooling == "auto", ErrorKind::kUsage,
          "pooling \"{}\" was given, but the head of {} was trained on its own; leave it at auto",
          reading.pooling, info.name);
  if (info.layer == OutputLayer::kHead) learner.head = std::move(loaded.head);
  bool as_trained = reading.pooling == "auto" && info.layer == OutputLayer::kPooling &&
                    !loaded.label.pooling.empty();
  const std::string& pooling = as_trained ? loaded.label.pooling : reading.pooling;
  set_task(learner, info,
           {.classes = loaded.label.classes,
            .outputs = learner.head != nullptr ? learner.head->outputs() : 0,
            .pooling = pooling,
            .options = reading.options});
  require_head_for(learner, info);
  return learner;
}

ModelParts parts_for_tasks(const std::vector<std::string>& tasks, const std::string& quantise) {
  ModelParts parts{.quantise = quantisation_named(quantise)};
  for (const std::string& name : tasks) {
    if (name.empty()) continue;
    ModelParts wanted = parts_for(find_task(name));
    parts.masked_lm = parts.masked_lm || wanted.masked_lm;
    parts.language_model = parts.language_model || wanted.language_model;
  }
  return parts;
}

std::shared_ptr<const Model> load_base_for(const std::filesystem::path& model,
                                           const std::filesystem::path& adapter,
                                           const std::string& task, const std::string& quantise) {
  std::string trained = adapter.empty() ? "" : recorded_label(adapter).task;
  return load_model(model, parts_for_tasks({trained, task}, quantise));
}

OpenedLearner open_learner(const LearnerSource& source) {
  bool alone = source.adapter.empty();
  require(
      !alone || (!source.task.empty() && find_task(source.task).layer != OutputLayer::kHead),
      ErrorKind::kUsage,
      "no adapter was given, so there is no trained head; give --adapter, or a --task that needs "
      "none: {}",
      headless_names());
  auto model = load_base_for(source.model, source.adapter, source.task, source.quantise);
  OpenedLearner opened;
  if (!model->facts().images)
    opened.tokenizer = std::make_unique<Tokenizer>(load_base_tokenizer(source.model));
  LoadedAdapter loaded;
  if (!alone) loaded = load_adapter(source.adapter, model->facts());
  opened.task = &task_of(loaded, source.task);
  opened.classes = loaded.label.classes;
  LearnerReading reading{.task = source.task, .pooling = source.pooling, .options = source.options};
  reading.options.tokenizer = opened.tokenizer.get();
  opened.learner = learner_from(model, std::move(loaded), reading);
  return opened;
}

}  // namespace inlay
