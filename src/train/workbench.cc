#include "train/workbench.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/composition.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "eval/answer_pair.h"
#include "eval/class_weights.h"
#include "eval/image_examples.h"
#include "eval/opened_learners.h"
#include "eval/unreadable.h"
#include "models/base_text.h"
#include "models/family.h"
#include "train/trainer.h"

namespace inlay {

TaskOptions task_options(const TrainConfig& config) {
  bool cosine = config.triplet_distance == "cosine";
  TaskOptions options{.label_smoothing = config.label_smoothing,
                      .seed = static_cast<uint64_t>(config.seed),
                      .distance = cosine ? Similarity::kCosine : Similarity::kEuclidean,
                      .margin = config.triplet_margin,
                      .similarity_scale = config.similarity_scale,
                      .beta = config.beta};
  if (options.margin == 0) options.margin = cosine ? 0.5 : 5;
  apply_text(options.augmentation, config.augment, "augment");
  options.augmentation.check();
  return options;
}

LanguageReading language_reading(const TrainConfig& config) {
  return {.loss = config.loss_on == "all"        ? LossOn::kAll
                  : config.loss_on == "messages" ? LossOn::kMessages
                                                 : LossOn::kAssistant,
          .too_long = config.too_long == "truncate" ? TooLong::kTruncate : TooLong::kSplit};
}

onednn::Reading reference_reading(const TrainConfig& config) {
  if (config.memory == "auto") return onednn::Reading::kStored;
  return step_way(memory_mode_named(config.memory)).weights;
}

BatchPlan batch_plan(const TrainConfig& config) {
  return {.seed = static_cast<uint64_t>(config.seed),
          .batch_size = config.batch_size,
          .pack_tokens = config.packing ? config.max_length : 0};
}

int64_t micro_batch_tokens(const TrainConfig& config) {
  return config.micro_batch_tokens > 0 ? config.micro_batch_tokens : kMicroBatchTokens;
}

std::vector<const EncodedExample*> Workbench::pick(const std::vector<std::size_t>& indices) const {
  std::vector<const EncodedExample*> picked;
  picked.reserve(indices.size());
  auto before = [](const EncodedExample& example, std::size_t index) {
    return example.index < index;
  };
  for (std::size_t index : indices) {
    auto own = std::lower_bound(encoded.begin(), encoded.end(), index, before);
    for (; own != encoded.end() && own->index == index; ++own) picked.push_back(&*own);
  }
  return picked;
}

HeadLabel Workbench::head_label() const {
  HeadLabel label{task->name, task->problem_type, task->peft_type, data.classes};
  if (task->layer == OutputLayer::kPooling) label.pooling = config.pooling;
  return label;
}

std::string Workbench::place(std::size_t example) const {
  std::string place = data.place(example);
  return place.substr(place.rfind('/') + 1);
}

std::string Workbench::reader_hash() const {
  return tokenizer != nullptr ? tokenizer->hash()
                              : hex(sha256(preprocessor_json(*preprocessor).dump()));
}

namespace {

std::unique_ptr<Adapter> make_adapter(const Workbench& bench) {
  auto seed = static_cast<uint64_t>(bench.config.seed);
  const BaseFacts& base = bench.model->facts();
  if (!is_composition(bench.config.method))
    return Adapter::create("default", parse_method(bench.config.method), base, seed);
  AdaptersAtHand at_hand;
  for (const auto& [name, loaded] : bench.adapters) at_hand[name] = loaded.adapter.get();
  return compose("default", bench.config.method, at_hand, base, seed);
}

}  // namespace

Learner Workbench::make_learner(const Split& split) const {
  auto seed = static_cast<uint64_t>(config.seed);
  TaskOptions options = task_options(config);
  options.tokenizer = tokenizer.get();
  if (config.class_weights == "balanced") {
    require(task->data == TaskKind::kSingleLabel || task->data == TaskKind::kImageLabel,
            ErrorKind::kUsage, "class_weights=balanced needs one class per example");
    options.class_weights = balanced_class_weights(data, split.train);
  }
  int64_t values = data.examples.empty() ? 1 : static_cast<int64_t>(data.examples[0].values.size());
  Learner learner;
  learner.model = model;
  set_task(learner, *task, {data.classes, values, config.pooling, options});
  if (learner.layer == OutputLayer::kHead)
    learner.head = make_head(*model, *learner.task, {config.pooling, config.head_dropout, seed});
  learner.adapter = make_adapter(*this);
  require(!learner.parameters().empty(), ErrorKind::kUsage,
          "method {} trains the task's own head alone, and {} has none; use another, such as lora",
          config.method, task->name);
  return learner;
}

namespace {

// Settings that this task would not heed.
void check_for_task(const TrainConfig& config, const TaskInfo& task) {
  const std::vector<std::string>& metrics = task.choosing_metrics;
  require(std::find(metrics.begin(), metrics.end(), config.metric) != metrics.end(),
          ErrorKind::kUsage,
          "metric \"{}\" cannot choose the best epoch of {}; did you mean \"{}\"? It can be {}",
          config.metric, task.name, nearest_name(config.metric, metrics), fmt::join(metrics, ", "));
  bool smooths = task.data == TaskKind::kSingleLabel || task.data == TaskKind::kTokenTags ||
                 task.data == TaskKind::kImageLabel || task.data == TaskKind::kUnlabelled ||
                 task.name == "dpo";
  require(smooths || config.label_smoothing == 0, ErrorKind::kUsage,
          "label_smoothing has no effect on {}; leave it out", task.name);
  require(task.name != "dpo" || config.label_smoothing < 0.5, ErrorKind::kUsage,
          "label_smoothing is {}; of dpo it is the share of pairs that are the wrong way round, "
          "below 0.5",
          config.label_smoothing);
  TrainConfig usual;
  bool triplets = config.triplet_distance != usual.triplet_distance ||
                  config.triplet_margin != usual.triplet_margin;
  require(!triplets || task.data == TaskKind::kTextTriplets, ErrorKind::kUsage,
          "triplet_distance and triplet_margin have no effect on {}; leave them out", task.name);
  bool language = config.packing || !config.data_format.empty() ||
                  config.loss_on != usual.loss_on || config.too_long != usual.too_long;
  require(!language || task.data == TaskKind::kLanguage, ErrorKind::kUsage,
          "data_format, loss_on, too_long and packing have no effect on {}; leave them out",
          task.name);
  bool scaled = config.similarity_scale != usual.similarity_scale;
  require(!scaled || task.data == TaskKind::kTextPairs, ErrorKind::kUsage,
          "similarity_scale has no effect on {}; leave it out", task.name);
  bool images =
      config.image_size != 0 || !config.augment.empty() || config.unreadable != usual.unreadable;
  require(!images || of_images(task.data), ErrorKind::kUsage,
          "image_size, augment and unreadable have no effect on {}; leave them out", task.name);
  require(config.beta == usual.beta || task.data == TaskKind::kPreference, ErrorKind::kUsage,
          "beta has no effect on {}; leave it out", task.name);
}

}  // namespace

namespace {

// What chooses the best epoch, and stops the run, needs examples to choose by.
void check_patience(const TrainConfig& config, const std::vector<Split>& splits) {
  bool chooses = std::none_of(splits.begin(), splits.end(),
                              [](const Split& split) { return split.validation.empty(); });
  require(config.patience == 0 || chooses, ErrorKind::kUsage,
          "patience is {}, but no examples are kept to choose the best epoch by; leave it out, or "
          "give validation_share or validation_file",
          config.patience);
}

// "amazon=runs/amazon/adapter".
void load_adapters(Workbench& bench) {
  for (const std::string& item : bench.config.adapters) {
    auto [name, folder] = named_folder(item);
    LoadedAdapter loaded = load_adapter(folder, bench.model->facts());
    require(loaded.adapter != nullptr, ErrorKind::kUsage, "adapters: {} has a head but no adapter",
            folder.string());
    require(bench.adapters.emplace(name, std::move(loaded)).second, ErrorKind::kUsage,
            "adapters: \"{}\" is given twice", name);
  }
  require(bench.adapters.empty() || is_composition(bench.config.method), ErrorKind::kUsage,
          "adapters are given, but method {} composes none; write it as fuse(a, b) or the like",
          bench.config.method);
}

}  // namespace

Workbench open_workbench(const TrainConfig& asked, const WorkbenchPaths& paths) {
  check_config(asked);
  TrainConfig config = asked;
  if (config.task == "auto")
    config.task = reads_images(paths.model) ? "image-classification" : "text-classification";
  Workbench bench;
  bench.task = &find_task(config.task);
  require_trainable(*bench.task);
  bench.config = resolve_defaults(config);
  check_for_task(bench.config, *bench.task);
  bench.compute = resolve_compute(config.compute);
  bench.config.compute = bench.compute == DType::kBF16 ? "bf16" : "f32";
  bench.data = load_dataset({.from = {.paths = paths.data,
                                      .train = config.train_file,
                                      .validation = config.validation_file,
                                      .test = config.test_file},
                             .columns = {config.text_column, config.text_pair_column,
                                         config.label_column, config.further_columns},
                             .kind = bench.task->data,
                             .format = config.data_format});
  SplitOptions options{.seed = static_cast<uint64_t>(config.seed),
                       .validation = config.validation_share,
                       .test = config.test_share,
                       .shots = static_cast<std::size_t>(config.shots)};
  if (config.folds > 0) {
    require(bench.task->data != TaskKind::kImageIdentity, ErrorKind::kUsage,
            "folds is {}, but pairs of pictures are compared by one model, and every fold trains "
            "one of its own; leave folds out",
            config.folds);
    require(config.shots == 0, ErrorKind::kUsage,
            "shots and folds exclude each other; give one of them");
    bench.splits = fold_dataset(bench.data, options, static_cast<std::size_t>(config.folds));
  } else {
    bench.splits = {split_dataset(bench.data, options)};
  }
  check_patience(config, bench.splits);
  bench.model = load_model(paths.model, parts_for(*bench.task, bench.config.quantise));
  require_layer(*bench.model, *bench.task);
  load_adapters(bench);
  if (of_images(bench.task->data)) {
    bench.preprocessor =
        preprocessor_for(bench.task->data, bench.model->facts(), config.image_size);
    if (config.unreadable == "skip") {
      bench.unreadable = leave_out_unreadable(bench.data, bench.splits);
    } else {
      refuse_unreadable(bench.data);
    }
    bench.encoded = encode_images(bench.data, *bench.preprocessor);
    return bench;
  }
  bench.tokenizer = std::make_unique<Tokenizer>(load_base_tokenizer(paths.model));
  int64_t longest = longest_input(*bench.tokenizer, bench.model->facts(), config.max_length,
                                  make_adapter(bench)->method().positions_taken());
  LanguageReading reading = language_reading(bench.config);
  reading.counts = &bench.counts;
  bench.encoded =
      encode_examples(bench.data, *bench.tokenizer, bench.model->facts(), longest, reading);
  for (const EncodedExample& example : bench.encoded) bench.truncated += example.truncated ? 1 : 0;
  if (bench.task->reference)
    add_reference(*bench.model, bench.compute, bench.encoded, reference_reading(config));
  return bench;
}

}  // namespace inlay
