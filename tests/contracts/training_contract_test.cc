// What training promises: bits that depend on configuration, data and seed alone; runs that go on
// after a stop; runs that repeat; bases that stay whole.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>

#include "adapters/storage.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/source_dir.h"
#include "runs/manifest.h"
#include "runs/metrics_log.h"
#include "stop_at.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/training_run.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class TrainingContract : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_training_contract_{}", ::getpid());
    fs::remove_all(folder_);
    fs::path golden = source_dir() / "tests/golden/models/bert-single-label";
    fs::create_directories(model());
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy_file(golden / name, model() / name);
    std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (int i = 5; i < 48; ++i) words += "w" + std::to_string(i) + "\n";
    write_file_atomically(model() / "vocab.txt", words);
    write_data();
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path model() const { return folder_ / "model"; }

  // Ninety short texts; a positive one holds a word below w20.
  void write_data() const {
    std::string csv = "text,label\n";
    Stream stream(7, "texts");
    for (uint64_t i = 0; i < 90; ++i) {
      bool positive = i % 2 == 0;
      csv += positive ? "w" + std::to_string(6 + stream.below(14, 100 * i))
                      : "w" + std::to_string(21 + stream.below(26, 100 * i));
      uint64_t length = 1 + stream.below(9, 100 * i + 1);
      for (uint64_t t = 0; t < length; ++t)
        csv += " w" + std::to_string(21 + stream.below(26, 100 * i + 2 + t));
      csv += positive ? ",yes\n" : ",no\n";
    }
    write_file_atomically(folder_ / "data.csv", csv);
  }

  TrainConfig config() const {
    TrainConfig config;
    config.method = "lora[r=4,alpha=8,dropout=0.1]";
    config.epochs = 2;
    config.batch_size = 32;
    config.compute = "f32";
    config.checkpoint_steps = 1;
    return config;
  }

  Json train(const TrainConfig& config, const std::string& name,
             RunStart start = RunStart::kNew) const {
    RunObserver silent;
    return run_training(config, {model(), {(folder_ / "data.csv").string()}}, folder_ / name, start,
                        silent);
  }

  std::string adapter_of(const std::string& name) const {
    auto base = load_model(model());
    LoadedAdapter loaded = load_adapter(folder_ / name / "adapter", base->facts());
    return adapter_hash(loaded.adapter.get(), loaded.head.get());
  }

  fs::path folder_;
};

TEST_F(TrainingContract, OneThreadAndTwoWriteTheSameAdapter) {
  for (const char* compute : {"f32", "bf16"}) {
    TrainConfig with = config();
    with.compute = compute;
    start_threads(1);
    train(with, std::string("one-") + compute);
    start_threads(2);
    train(with, std::string("two-") + compute);
    EXPECT_EQ(adapter_of(std::string("one-") + compute), adapter_of(std::string("two-") + compute))
        << compute;
  }
}

TEST_F(TrainingContract, FrozenLayersThatAreComputedOnceChangeNoBit) {
  for (const char* compute : {"f32", "bf16"}) {
    for (const char* method : {"head", "last_n[n=1]"}) {
      TrainConfig with = config();
      with.method = method;
      with.compute = compute;
      with.micro_batch = 8;
      std::string name = fmt::format("{}-{}", compute, method);
      train(with, name);
      with.reuse = "off";
      train(with, name + "-off");
      EXPECT_EQ(adapter_of(name), adapter_of(name + "-off")) << name;
    }
  }
}

TEST_F(TrainingContract, MicroBatchesDoNotChangeABit) {
  for (const char* compute : {"f32", "bf16"}) {
    TrainConfig with = config();
    with.compute = compute;
    train(with, std::string("whole-") + compute);
    for (int64_t micro : {4, 7}) {
      with.micro_batch = micro;
      std::string name = std::string("micro-") + compute + std::to_string(micro);
      train(with, name);
      EXPECT_EQ(adapter_of(name), adapter_of(std::string("whole-") + compute))
          << compute << " " << micro;
    }
  }
}

// Every loss is divided by what the whole effective batch holds: words for tags, examples for the
// rest.
TEST_F(TrainingContract, EveryTaskIsTheSameForAnyMicroBatch) {
  struct Case {
    const char* task;
    std::function<std::string(int)> row;  // of an example by its number
  };
  const Case cases[] = {
      {"token-classification",
       [](int i) {
         std::string words = "\"w6\"", tags = "\"O\"";
         for (int t = 0; t < i % 5; ++t) {
           words += fmt::format(",\"w{}\"", 6 + (i + 3 * t) % 40);
           tags += (i + 3 * t) % 40 < 20 ? ",\"B-A\"" : ",\"O\"";
         }
         return fmt::format(R"({{"words":[{}],"tags":[{}]}})", words, tags);
       }},
      {"multi-label-classification",
       [](int i) {
         return fmt::format(R"({{"text":"w{} w{}","labels":[{}]}})", 6 + i % 20, 26 + i % 20,
                            i % 3 == 0   ? ""
                            : i % 3 == 1 ? R"("a")"
                                         : R"("a","b")");
       }},
      {"regression", [](int i) {
         return fmt::format(R"({{"text":"w{} w{}","label":{}}})", 6 + i % 20, 26 + i % 20, 0.1 * i);
       }}};
  for (const Case& one : cases) {
    std::string lines;
    for (int i = 0; i < 60; ++i) lines += one.row(i) + "\n";
    write_file_atomically(folder_ / "data.jsonl", lines);
    TrainConfig with = config();
    with.task = one.task;
    for (int64_t micro : {0, 3, 8}) {
      with.micro_batch = micro;
      RunObserver silent;
      run_training(with, {model(), {(folder_ / "data.jsonl").string()}},
                   folder_ / fmt::format("{}-{}", one.task, micro), RunStart::kNew, silent);
    }
    for (int64_t micro : {3, 8})
      EXPECT_EQ(adapter_of(fmt::format("{}-{}", one.task, micro)),
                adapter_of(fmt::format("{}-0", one.task)))
          << one.task << " " << micro;
  }
}

TEST_F(TrainingContract, FullTrainingIsSplitInChunksOfFour) {
  TrainConfig with = config();
  with.method = "full";
  train(with, "whole");
  with.micro_batch = 8;
  train(with, "micro");
  EXPECT_EQ(adapter_of("whole"), adapter_of("micro"));
  with.micro_batch = 6;
  EXPECT_THROW(train(with, "uneven"), Error);
  EXPECT_FALSE(fs::exists(folder_ / "uneven" / "adapter"));
}

TEST_F(TrainingContract, Trap14AStoppedRunGoesOnAsIfNothingHadHappened) {
  train(config(), "straight");
  for (int64_t step : {1, 2, 3, 4, 5}) {
    std::string name = "stopped-" + std::to_string(step);
    StopAt stop(step);
    EXPECT_THROW(run_training(config(), {model(), {(folder_ / "data.csv").string()}},
                              folder_ / name, RunStart::kNew, stop),
                 Stopped);
    train(config(), name, RunStart::kResume);
    EXPECT_EQ(adapter_of(name), adapter_of("straight")) << "stopped after step " << step;
    EXPECT_EQ(manifest_hash(read_manifest(folder_ / name / "manifest.json")),
              manifest_hash(read_manifest(folder_ / "straight" / "manifest.json")));
  }
}

// Methods with state of their own, or that train on something else than they keep.
TEST_F(TrainingContract, EveryMethodGoesOnAfterAStop) {
  for (const char* method : {"lora[r=4,init_lora_weights=pissa]", "lora[r=4,init_lora_weights=eva]",
                             "lora[r=4,init_lora_weights=lora_ga]",
                             "lora[r=4,use_dora=true,lora_fa=true,loraplus_lr_ratio=4]",
                             "vera[r=16,save_projection=false]", "adalora[init_r=6,target_r=2]"}) {
    TrainConfig with = config();
    with.method = method;
    std::string name = fmt::format("straight-{}", std::string(method).size());
    train(with, name);
    StopAt stop(4);
    EXPECT_THROW(run_training(with, {model(), {(folder_ / "data.csv").string()}},
                              folder_ / (name + "-stopped"), RunStart::kNew, stop),
                 Stopped);
    train(with, name + "-stopped", RunStart::kResume);
    EXPECT_EQ(adapter_of(name), adapter_of(name + "-stopped")) << method;
  }
}

TEST_F(TrainingContract, RanksAreSharedOutWithinTheirBudget) {
  auto base = load_model(model());
  auto ranks = [&](const std::string& method, const std::string& name, const char* part) {
    TrainConfig with = config();
    with.method = method;
    train(with, name);
    LoadedAdapter loaded = load_adapter(folder_ / name / "adapter", base->facts());
    std::vector<int64_t> found;
    for (const Adapter::Entry& entry : loaded.adapter->entries()) {
      if (entry.part == part) found.push_back(entry.parameter.shape()[0]);
    }
    return found;
  };
  std::vector<int64_t> pruned = ranks("adalora[init_r=6,target_r=2]", "adalora", "lora_A");
  int64_t sum = std::accumulate(pruned.begin(), pruned.end(), int64_t{0});
  EXPECT_EQ(sum, 2 * static_cast<int64_t>(pruned.size()));
  EXPECT_NE(*std::max_element(pruned.begin(), pruned.end()),
            *std::min_element(pruned.begin(), pruned.end()));

  std::vector<int64_t> shared =
      ranks("lora[r=4,alpha=8,init_lora_weights=eva,eva_rho=1.5]", "eva", "lora_A.weight");
  sum = std::accumulate(shared.begin(), shared.end(), int64_t{0});
  EXPECT_EQ(sum, 4 * static_cast<int64_t>(pruned.size()));
  EXPECT_LE(*std::max_element(shared.begin(), shared.end()), 6);
}

TEST_F(TrainingContract, Trap15ARunRepeatsItselfAndAnotherSeedDoesNot) {
  train(config(), "a");
  train(config(), "b");
  EXPECT_TRUE(diff_manifests(read_manifest(folder_ / "a" / "manifest.json"),
                             read_manifest(folder_ / "b" / "manifest.json"))
                  .empty());
  TrainConfig other = config();
  other.seed = 2;
  train(other, "c");
  EXPECT_NE(adapter_of("a"), adapter_of("c"));
}

TEST_F(TrainingContract, TheBaseStaysWhole) {
  std::string before = hex(sha256_file(model() / "model.safetensors"));
  std::string root = load_model(model())->facts().root_hash;
  train(config(), "a");
  EXPECT_EQ(hex(sha256_file(model() / "model.safetensors")), before);
  EXPECT_EQ(load_model(model())->facts().root_hash, root);
}

TEST_F(TrainingContract, EvaluationRepeatsTheTestFigure) {
  Json summary = train(config(), "a");
  RunFolder run = RunFolder::open(folder_ / "a");
  Workbench bench =
      open_workbench(read_run_config(run.path()), {model(), {(folder_ / "data.csv").string()}});
  std::vector<ModelOutput> outputs = outputs_of_run(run, bench, RunSplit::kTest);
  EXPECT_EQ(bench.make_learner(bench.splits[0]).task->metrics(outputs), summary.at("metrics"));
}

TEST_F(TrainingContract, ARunIsNotMeasuredOrResumedOnOtherData) {
  StopAt stop(2);
  EXPECT_THROW(run_training(config(), {model(), {(folder_ / "data.csv").string()}}, folder_ / "a",
                            RunStart::kNew, stop),
               Stopped);
  train(config(), "b");
  std::string csv = read_file(folder_ / "data.csv");
  write_file_atomically(folder_ / "data.csv", csv + "w6 w7,yes\n");
  EXPECT_THROW(train(config(), "a", RunStart::kResume), Error);
  RunFolder run = RunFolder::open(folder_ / "b");
  Workbench bench =
      open_workbench(read_run_config(run.path()), {model(), {(folder_ / "data.csv").string()}});
  try {
    outputs_of_run(run, bench, RunSplit::kTest);
    FAIL() << "measured on other data";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("data.csv is not what the run was trained on"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(TrainingContract, FoldsTestEveryExampleOnce) {
  TrainConfig with = config();
  with.folds = 3;
  with.epochs = 1;
  EXPECT_EQ(train(with, "folds").at("n"), 90);
}

TEST_F(TrainingContract, TrainingFitsWhatItSees) {
  TrainConfig with = config();
  with.method = "lora[r=8,alpha=16]";
  with.epochs = 60;
  with.learning_rate = 3e-3;
  with.validation_share = 0;  // the last parameters, not those that generalise best
  train(with, "a");
  RunFolder run = RunFolder::open(folder_ / "a");
  Workbench bench =
      open_workbench(read_run_config(run.path()), {model(), {(folder_ / "data.csv").string()}});
  std::vector<ModelOutput> outputs = outputs_of_run(run, bench, RunSplit::kTrain);
  Json metrics = bench.make_learner(bench.splits[0]).task->metrics(outputs);
  EXPECT_GE(metrics.at("accuracy").get<double>(), 0.95);
}

TEST_F(TrainingContract, AFinishedEpochIsNotTrainedAgain) {
  TrainConfig with = config();
  with.epochs = 30;
  with.patience = 2;
  with.learning_rate = 1e-9;  // no epoch is better than the first
  with.head_learning_rate = 1e-9;
  train(with, "a");
  Json steps = read_manifest(folder_ / "a" / "manifest.json").at("steps").at(0);
  EXPECT_EQ(steps.at("evaluations").size(), 3);
  EXPECT_EQ(steps.at("best_epoch"), 1);
  // As if it had been killed between the last checkpoint and the end.
  fs::copy(folder_ / "a", folder_ / "b", fs::copy_options::recursive);
  for (const char* name : {"result.json", "report.html", "manifest.json", "adapter"})
    fs::remove_all(folder_ / "b" / name);
  train(with, "b", RunStart::kResume);
  EXPECT_EQ(read_manifest(folder_ / "b" / "manifest.json").at("steps").at(0), steps);
  EXPECT_EQ(adapter_of("b"), adapter_of("a"));
}

// Whatever the memory there is now would let it choose.
TEST_F(TrainingContract, ARepeatedRunTakesStepsAsTheRunDid) {
  train(config(), "a");
  fs::path checks = folder_ / "a" / "checks.json";
  Json recorded = read_json(checks);
  recorded["memory"] = {{"mode", "low"}, {"micro_batch_tokens", 64}};
  write_file_atomically(checks, pretty_json(recorded));
  RunObserver silent;
  repeat_training(RunFolder::open(folder_ / "a"), {model(), {(folder_ / "data.csv").string()}},
                  folder_ / "b", silent);
  Json memory = read_json(folder_ / "b" / "checks.json").at("memory");
  memory.erase("prefix_room");  // as much as is free
  EXPECT_EQ(memory, recorded.at("memory"));
  EXPECT_EQ(read_json(folder_ / "b" / "config.json"), read_json(folder_ / "a" / "config.json"));
}

// The epochs of a run and their validation figures, from metrics.jsonl.
std::vector<double> figures_of(const fs::path& run, const char* metric) {
  std::vector<double> figures;
  for (const Json& record : read_metrics(run / "metrics.jsonl")) {
    if (record.contains("validation"))
      figures.push_back(record.at("validation").at(metric).get<double>());
  }
  return figures;
}

TEST_F(TrainingContract, TheBestEpochIsKept) {
  TrainConfig with = config();
  with.epochs = 8;
  with.learning_rate = 3e-2;  // rough, so that the best is not the last
  with.schedule = "constant";
  with.metric = "roc_auc";
  train(with, "a");
  std::vector<double> figures = figures_of(folder_ / "a", "roc_auc");
  auto best = std::max_element(figures.begin(), figures.end());
  EXPECT_EQ(read_manifest(folder_ / "a" / "manifest.json").at("steps").at(0).at("best_epoch"),
            best - figures.begin() + 1);
  RunFolder run = RunFolder::open(folder_ / "a");
  Workbench bench =
      open_workbench(read_run_config(run.path()), {model(), {(folder_ / "data.csv").string()}});
  Json again = bench.make_learner(bench.splits[0])
                   .task->metrics(outputs_of_run(run, bench, RunSplit::kValidation));
  EXPECT_EQ(again.at("roc_auc"), *best);
}

TEST_F(TrainingContract, AStoppedRunLogsEachStepOnce) {
  train(config(), "straight");
  TrainConfig with = config();
  with.checkpoint_steps = 2;
  StopAt stop(3);
  EXPECT_THROW(run_training(with, {model(), {(folder_ / "data.csv").string()}}, folder_ / "stopped",
                            RunStart::kNew, stop),
               Stopped);
  train(with, "stopped", RunStart::kResume);
  std::vector<Json> straight = read_metrics(folder_ / "straight" / "metrics.jsonl");
  std::vector<Json> stopped = read_metrics(folder_ / "stopped" / "metrics.jsonl");
  ASSERT_EQ(stopped.size(), straight.size());
  for (std::size_t i = 0; i < straight.size(); ++i) {
    for (const char* time : {"tokens_per_second", "seconds"}) {
      straight[i].erase(time);
      stopped[i].erase(time);
    }
    EXPECT_EQ(stopped[i], straight[i]);
  }
}

TEST_F(TrainingContract, BadInputLeavesNothingBehind) {
  TrainConfig with = config();
  with.method = "lora[target_modules=qurey]";
  EXPECT_THROW(train(with, "typo"), Error);
  with = config();
  with.label_column = "sentiment";
  EXPECT_THROW(train(with, "column"), Error);
  with = config();
  with.metric = "acuracy";
  EXPECT_THROW(train(with, "metric"), Error);
  EXPECT_FALSE(fs::exists(folder_ / "metric"));
  EXPECT_FALSE(fs::exists(folder_ / "typo"));
  EXPECT_FALSE(fs::exists(folder_ / "column"));
}

}  // namespace
}  // namespace inlay
