#include "train/training_run.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "adapters/storage.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/process.h"
#include "data/duplicates.h"
#include "eval/frozen_prefix.h"
#include "runs/metrics_log.h"
#include "runs/report.h"
#include "tensor/onednn/peak.h"
#include "tensor/tensor_heap.h"
#include "train/calibrate.h"
#include "train/mixture.h"
#include "train/run_check.h"
#include "train/run_inputs.h"
#include "train/run_manifest.h"
#include "train/run_report.h"

namespace inlay {
namespace {

constexpr int kPeakProducts = 5;  // few, as runs may be short

namespace fs = std::filesystem;
using Examples = std::vector<const EncodedExample*>;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Steps and epochs go to metrics.jsonl; everything is handed on.
class LoggingObserver : public TrainObserver {
 public:
  LoggingObserver(const fs::path& path, int64_t fold, TrainObserver& next)
      : path_(path), fold_(fold), next_(next) {}

  // What a stopped run logged after its last checkpoint is done again.
  void started(int64_t steps_done, int64_t epochs_done) override {
    keep_metrics(path_, [&](const Json& record) {
      if (record.at("fold") != fold_) return record.at("fold") < fold_;
      return record.contains("epoch") ? record.at("epoch") <= epochs_done
                                      : record.at("step") <= steps_done;
    });
    log_.emplace(path_);
    next_.started(steps_done, epochs_done);
  }
  void step(const StepReport& report) override {
    log_->append({{"fold", fold_},
                  {"step", report.step},
                  {"loss", report.loss},
                  {"gradient_norm", report.gradient_norm},
                  {"learning_rate", report.learning_rate},
                  {"tokens_per_second", report.tokens_per_second}});
    next_.step(report);
  }
  void epoch(const EpochReport& report) override {
    log_->append({{"fold", fold_},
                  {"step", report.step},
                  {"epoch", report.epoch},
                  {"train_loss", report.train_loss},
                  {"seconds", report.seconds},
                  {"validation", report.validation},
                  {"best", report.best}});
    next_.epoch(report);
  }

 private:
  fs::path path_;
  std::optional<MetricsLog> log_;
  int64_t fold_;
  TrainObserver& next_;
};

// Gives the file's SHA-256.
std::string write_predictions(const fs::path& path, const Workbench& bench, const Task& task,
                              const std::vector<ModelOutput>& outputs) {
  std::string lines;
  for (const ModelOutput& output : outputs) {
    Json line = task.prediction(output);
    line["row"] = bench.place(output.example->index);
    if (!output.example->source->text.empty()) line["text"] = output.example->source->text;
    if (!output.example->source->text_pair.empty())
      line["text_pair"] = output.example->source->text_pair;
    lines += line.dump() + "\n";
  }
  write_file_atomically(path, lines);
  return hex(sha256(lines));
}

// What a finished split leaves for a resumed run: result.json beside its adapter.
struct SplitOutcome {
  Json result;  // figures, losses, speed
  std::vector<ModelOutput> outputs;
};

Json outputs_json(const Workbench& bench, const std::vector<ModelOutput>& outputs) {
  Json rows = Json::array();
  for (const ModelOutput& output : outputs) {
    rows.push_back({{"index", output.example - bench.encoded.data()}, {"values", output.values}});
  }
  return rows;
}

std::vector<ModelOutput> outputs_from_json(const Workbench& bench, const Json& rows) {
  std::vector<ModelOutput> outputs;
  for (const Json& row : rows) {
    outputs.push_back({&bench.encoded.at(row.at("index").get<std::size_t>()),
                       row.at("values").get<std::vector<float>>()});
  }
  return outputs;
}

SplitOutcome finished_split(const fs::path& path, const Workbench& bench) {
  Json saved = read_json(path);
  Json result = saved.at("result");
  return {result, outputs_from_json(bench, saved.at("outputs"))};
}

SplitOutcome train_split(const Workbench& bench, std::size_t number, const fs::path& folder,
                         const RunFolder& run, TrainObserver& observer) {
  const Split& split = bench.splits[number];
  Learner learner = bench.make_learner(split);
  Context context(bench.compute);
  use(context, step_way(bench.memory.mode));
  TrainConfig config = bench.config;
  config.micro_batch_tokens = bench.memory.micro_batch_tokens;
  calibrate(learner, config, context, bench.pick(split.train));
  int64_t trained_parameters = learner.adapter->parameter_count();
  std::string init_hash = adapter_hash(learner.adapter.get(), learner.head.get());
  Examples train = bench.pick(split.train), validation = bench.pick(split.validation);
  if (config.reuse == "auto" && config.epochs > 1)
    learner.prefix =
        frozen_prefix(learner, train, validation, {bench.memory.prefix_room, run.path()});
  Trainer trainer(config, learner, context, {train, validation});
  LoggingObserver logging(run.metrics(), static_cast<int64_t>(number), observer);
  TrainResult trained = trainer.run(folder / "checkpoints" / "last.safetensors", logging);

  learner.prefix = nullptr;
  std::unique_ptr<Adapter> finished = learner.adapter->finished(bench.model->facts());
  if (finished != nullptr) learner.adapter = std::move(finished);
  activate(context, learner);

  SplitOutcome outcome;
  auto test = bench.pick(split.test);
  if (!test.empty()) outcome.outputs = predict(context, learner, test);
  save_adapter(folder / "adapter", {learner.adapter.get(), learner.head.get(), bench.head_label()},
               bench.model->facts());
  outcome.result = {{"adapter_parameters", trained_parameters},
                    {"init_hash", init_hash},
                    {"output_hash", adapter_hash(learner.adapter.get(), learner.head.get())},
                    {"steps", trained.digest.to_json()},
                    {"step_count", trained.steps},
                    {"best_epoch", trained.state.best_epoch},
                    {"evaluations", trained.state.evaluations},
                    {"train_seconds", trained.state.train_seconds},
                    {"tokens", trained.state.tokens},
                    {"tokens_per_second", trained.tokens_per_second},
                    {"flops_per_second", trained.flops_per_second},
                    {"counts",
                     {{"train", split.train.size()},
                      {"validation", split.validation.size()},
                      {"test", split.test.size()}}}};
  if (!outcome.outputs.empty()) outcome.result["test"] = learner.task->metrics(outcome.outputs);
  Json mixture = mixture_weights(context, learner, test.empty() ? bench.pick(split.train) : test);
  if (!mixture.empty()) outcome.result["mixture"] = std::move(mixture);
  Json saved{{"result", outcome.result}, {"outputs", outputs_json(bench, outcome.outputs)}};
  write_file_atomically(folder / "result.json", saved.dump() + "\n");
  return outcome;
}

// Texts that are tested on and trained on, over all splits.
Json duplicates_json(const Workbench& bench) {
  std::size_t count = 0;
  Json first = Json::array();
  for (const Split& split : bench.splits) {
    Duplicates found = find_duplicates(bench.data, split.train, split.test);
    count += found.count;
    for (const Duplicates::Pair& pair : found.first) {
      if (first.size() < 3) first.push_back(pair.describe(bench.data));
    }
  }
  return {{"count", count}, {"first", first}};
}

std::vector<ModelOutput> pooled_outputs(const std::vector<SplitOutcome>& outcomes) {
  std::vector<ModelOutput> pooled;
  for (const SplitOutcome& outcome : outcomes)
    pooled.insert(pooled.end(), outcome.outputs.begin(), outcome.outputs.end());
  return pooled;
}

Json summarise(const Workbench& bench, const std::vector<SplitOutcome>& outcomes, const Task& task,
               const std::vector<ModelOutput>& pooled, const RunFolder& run, double peak) {
  double seconds = 0, flops = 0;
  int64_t tokens = 0;
  Json folds = Json::array();
  for (const SplitOutcome& outcome : outcomes) {
    double own = outcome.result.at("train_seconds").get<double>();
    seconds += own;
    flops += outcome.result.at("flops_per_second").get<double>() * own;
    tokens += outcome.result.at("tokens").get<int64_t>();
    if (bench.folded())
      folds.push_back(outcome.result.contains("test") ? outcome.result.at("test") : Json());
  }
  Json summary{{"run", run.path().string()},
               {"adapter", (split_folder(run, bench, 0) / "adapter").string()},
               {"metrics", pooled.empty() ? Json::object() : task.metrics(pooled)},
               {"n", pooled.size()},
               {"train_seconds", seconds},
               {"tokens_per_second", static_cast<double>(tokens) / std::max(1e-9, seconds)},
               {"share_of_peak", flops / std::max(1e-9, seconds) / peak},
               {"peak_flops_per_second", peak},
               {"trainable_parameters", outcomes[0].result.at("adapter_parameters")},
               {"duplicates", duplicates_json(bench)}};
  if (bench.folded()) summary["folds"] = folds;
  if (outcomes[0].result.contains("mixture")) summary["mixture"] = outcomes[0].result.at("mixture");
  return summary;
}

}  // namespace

fs::path split_folder(const RunFolder& run, const Workbench& bench, std::size_t split) {
  return bench.folded() ? run.path() / fmt::format("fold-{}", split + 1) : run.path();
}

TrainConfig read_run_config(const fs::path& run) {
  TrainConfig config;
  fs::path path = run / "config.json";
  require(fs::exists(path), ErrorKind::kUsage, "there is no run in {}: it has no config.json",
          run.string());
  from_json(config, read_json(path), path.string());
  return config;
}

namespace {

RunFolder open_to_resume(const fs::path& out) {
  RunFolder run = RunFolder::create(out, RunStart::kResume);
  require(!fs::exists(run.report()), ErrorKind::kUsage,
          "{} is a finished run; there is nothing to go on with, see {}", out.string(),
          run.report().string());
  return run;
}

// Everything is checked before the folder is made: bad input leaves nothing behind.
RunFolder open_new(const fs::path& out, const Workbench& bench) {
  require(!interrupted(), ErrorKind::kInterrupted, "stopped before the first step");
  RunFolder run = RunFolder::create(out, RunStart::kNew);
  write_file_atomically(run.inputs(), pretty_json(run_inputs(bench)));
  write_file_atomically(run.path() / "config.json", pretty_json(to_json(bench.config)));
  return run;
}

// What the checks chose when the run began, whatever memory there is now.
MemoryPlan recorded_memory(const RunFolder& run) {
  fs::path path = run.path() / "checks.json";
  Json checks = read_json(path);
  if (!checks.contains("memory")) return {};  // of an older version
  const Json& memory = checks.at("memory");
  return {memory_mode_named(json_get<std::string>(memory, "mode", path.string())),
          json_get<int64_t>(memory, "micro_batch_tokens", path.string()),
          static_cast<uint64_t>(json_get_or<int64_t>(memory, "prefix_room", 0, path.string()))};
}

std::vector<SplitOutcome> train_splits(const Workbench& bench, const RunFolder& run,
                                       RunObserver& observer) {
  std::vector<SplitOutcome> outcomes;
  for (std::size_t number = 0; number < bench.splits.size(); ++number) {
    fs::path folder = split_folder(run, bench, number);
    if (fs::exists(folder / "result.json")) {
      outcomes.push_back(finished_split(folder / "result.json", bench));
      continue;
    }
    if (bench.folded()) observer.fold(static_cast<int64_t>(number) + 1, bench.config.folds);
    outcomes.push_back(train_split(bench, number, folder, run, observer));
  }
  return outcomes;
}

struct OpenedRun {
  RunFolder run;
  Workbench bench;
};

OpenedRun gone_on_with(const TrainConfig& config, const WorkbenchPaths& paths,
                       const fs::path& out) {
  RunFolder run = open_to_resume(out);
  Workbench bench = open_workbench(config, paths);
  check_inputs(read_json(run.inputs()), bench, run.inputs().string());
  bench.memory = recorded_memory(run);
  // This machine may have less; no bit depends on it.
  bench.memory.prefix_room = std::min(bench.memory.prefix_room, available_memory_bytes() / 2);
  return {std::move(run), std::move(bench)};
}

// `memory`: unset where the checks choose it.
OpenedRun begun(const TrainConfig& config, const WorkbenchPaths& paths, const fs::path& out,
                const std::optional<MemoryPlan>& memory, RunObserver& observer) {
  RunFolder::require_free(out);
  Workbench bench = open_workbench(config, paths);
  check_micro_batch(bench.config, bench.make_learner(bench.splits[0]));
  CheckReport checks = check_run(bench, false, memory);
  observer.checked(checks);
  require_passed(checks, bench.config);
  bench.memory = checks.memory;
  RunFolder run = open_new(out, bench);
  write_file_atomically(run.path() / "checks.json",
                        pretty_json(checks.to_json(bench.config.allow)));
  return {std::move(run), std::move(bench)};
}

// From the first step that is missing to the report.
Json carried_out(const OpenedRun& opened, std::chrono::steady_clock::time_point begin,
                 RunObserver& observer) {
  const auto& [run, bench] = opened;
  double peak = onednn::measure_peak(bench.compute, kPeakProducts);
  trim_tensor_heap();
  observer.opened(bench, peak);

  std::vector<SplitOutcome> outcomes = train_splits(bench, run, observer);
  std::unique_ptr<Task> task = std::move(bench.make_learner(bench.splits[0]).task);
  std::vector<ModelOutput> pooled = pooled_outputs(outcomes);
  std::string predictions_hash = write_predictions(run.predictions(), bench, *task, pooled);
  Json summary = summarise(bench, outcomes, *task, pooled, run, peak);
  summary["seconds"] = seconds_since(begin);
  summary["peak_rss_bytes"] = peak_rss_bytes();
  std::vector<Json> results;
  results.reserve(outcomes.size());
  for (const SplitOutcome& outcome : outcomes) results.push_back(outcome.result);
  write_manifest(run.manifest(), make_manifest(bench, results, summary, predictions_hash));
  write_file_atomically(
      run.report(), render_report(report_document({&bench, task.get(), &pooled, &summary}, run)));
  return summary;
}

}  // namespace

Json run_training(const TrainConfig& config, const WorkbenchPaths& paths, const fs::path& out,
                  RunStart start, RunObserver& observer) {
  auto begin = std::chrono::steady_clock::now();
  OpenedRun opened = start == RunStart::kResume ? gone_on_with(config, paths, out)
                                                : begun(config, paths, out, std::nullopt, observer);
  return carried_out(opened, begin, observer);
}

Json repeat_training(const RunFolder& original, const WorkbenchPaths& paths, const fs::path& out,
                     RunObserver& observer) {
  auto begin = std::chrono::steady_clock::now();
  OpenedRun opened =
      begun(read_run_config(original.path()), paths, out, recorded_memory(original), observer);
  return carried_out(opened, begin, observer);
}

}  // namespace inlay
