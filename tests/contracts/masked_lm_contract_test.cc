// What training on hidden tokens promises, for every family with a masked-LM head: draws that
// depend on nothing but seed, epoch and example; a base that is itself with the adapter off; runs
// that go on and repeat; refusals that say what to do.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/files.h"
#include "base/random.h"
#include "base/source_dir.h"
#include "families.h"
#include "formats/safetensors.h"
#include "runs/manifest.h"
#include "stop_at.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/training_run.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Takes part on the way into the head, too.
constexpr const char* kInvertible = "bottleneck[preset=seq_bn_inv]";

class MaskedLmContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    start_threads(1);  // tiny products: more threads only wait for each other
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_masked_lm_{}", ::getpid());
    fs::remove_all(folder_);
    copy_model(GetParam() + "-masked-lm", "model");
    std::string text;
    for (uint64_t i = 0; i < 70; ++i) text += sentence(i) + "\n";
    write_file_atomically(folder_ / "corpus.txt", text);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void copy_model(const std::string& golden, const std::string& name) const {
    fs::path from = source_dir() / "tests/golden/models" / golden;
    fs::create_directories(folder_ / name);
    for (const char* file : {"config.json", "model.safetensors"})
      fs::copy_file(from / file, folder_ / name / file);
    std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (int i = 5; i < 48; ++i) words += "w" + std::to_string(i) + "\n";
    write_file_atomically(folder_ / name / "vocab.txt", words);
  }

  // Five patterns of 2 to 9 words, so that a hidden word follows from those around it.
  static std::string sentence(uint64_t i) {
    std::string text;
    for (uint64_t t = 0; t < 2 + i % 8; ++t)
      text += (t > 0 ? " w" : "w") + std::to_string(6 + (i % 5) * 8 + t % 8);
    return text;
  }

  TrainConfig config() const {
    TrainConfig config;
    config.task = "masked-lm";
    config.method = "lora[r=4,alpha=8,dropout=0.1]";
    config.epochs = 2;
    config.compute = "f32";
    config.checkpoint_steps = 1;
    return config;
  }

  WorkbenchPaths paths() const { return {folder_ / "model", {(folder_ / "corpus.txt").string()}}; }

  Json train(const TrainConfig& config, const std::string& name,
             RunStart start = RunStart::kNew) const {
    RunObserver silent;
    return run_training(config, paths(), folder_ / name, start, silent);
  }

  std::shared_ptr<const Model> base() const {
    return load_model(folder_ / "model", {.masked_lm = true});
  }

  std::string adapter_of(const std::string& name) const {
    LoadedAdapter loaded = load_adapter(folder_ / name / "adapter", base()->facts());
    return adapter_hash(loaded.adapter.get(), loaded.head.get());
  }

  std::string refusal(const TrainConfig& config) const {
    try {
      train(config, "refused");
    } catch (const Error& error) {
      EXPECT_FALSE(fs::exists(folder_ / "refused"));
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

INSTANTIATE_TEST_SUITE_P(Families, MaskedLmContract, testing::ValuesIn(encoder_families()));

TEST_P(MaskedLmContract, ThreadsAndMicroBatchesDoNotChangeABit) {
  for (const char* compute : {"f32", "bf16"}) {
    TrainConfig with = config();
    with.compute = compute;
    start_threads(1);
    train(with, std::string("one-") + compute);
    start_threads(2);
    train(with, std::string("two-") + compute);
    std::string expected = adapter_of(std::string("one-") + compute);
    EXPECT_EQ(adapter_of(std::string("two-") + compute), expected) << compute;
    with.micro_batch = 7;
    train(with, std::string("micro-") + compute);
    EXPECT_EQ(adapter_of(std::string("micro-") + compute), expected) << compute;
  }
}

TEST_P(MaskedLmContract, ThreadsAndMicroBatchesDoNotChangeABitOfAnInvertibleAdapter) {
  TrainConfig with = config();
  with.method = kInvertible;
  with.epochs = 1;
  start_threads(1);
  train(with, "one");
  start_threads(2);
  train(with, "two");
  EXPECT_EQ(adapter_of("two"), adapter_of("one"));
  with.micro_batch = 7;
  train(with, "micro");
  EXPECT_EQ(adapter_of("micro"), adapter_of("one"));
}

TEST_P(MaskedLmContract, AStoppedRunGoesOnAsIfNothingHadHappened) {
  train(config(), "straight");
  for (int64_t step : {1, 3}) {
    std::string name = "stopped-" + std::to_string(step);
    StopAt stop(step);
    EXPECT_THROW(run_training(config(), paths(), folder_ / name, RunStart::kNew, stop), Stopped);
    train(config(), name, RunStart::kResume);
    EXPECT_EQ(adapter_of(name), adapter_of("straight")) << "stopped after step " << step;
    EXPECT_EQ(manifest_hash(read_manifest(folder_ / name / "manifest.json")),
              manifest_hash(read_manifest(folder_ / "straight" / "manifest.json")));
  }
}

TEST_P(MaskedLmContract, EpochsAndSeedsHideDifferentTokensAndEvaluationsTheSame) {
  TrainConfig with = config();
  Workbench bench = open_workbench(with, paths());
  with.seed = 2;
  Workbench other = open_workbench(with, paths());
  Learner learner = bench.make_learner(bench.splits[0]);
  Learner reseeded = other.make_learner(other.splits[0]);
  auto asked = [](const Workbench& of, const Learner& by, const Occasion& occasion) {
    std::vector<int32_t> places;
    for (const EncodedExample& example : of.encoded) {
      EncodedExample posed = by.task->posed(example, occasion).value();
      places.insert(places.end(), posed.tokens.asked.begin(), posed.tokens.asked.end());
      EXPECT_EQ(posed.answers.size(), posed.tokens.asked.size());
    }
    return places;
  };
  Occasion first{.kind = Occasion::Kind::kTraining}, second{Occasion::Kind::kTraining, 1};
  EXPECT_EQ(asked(bench, learner, first), asked(bench, learner, first));
  EXPECT_NE(asked(bench, learner, first), asked(bench, learner, second));
  EXPECT_NE(asked(bench, learner, first), asked(other, reseeded, first));
  EXPECT_NE(asked(bench, learner, first), asked(bench, learner, {}));
  EXPECT_EQ(asked(bench, learner, {}), asked(other, reseeded, {}));
}

TEST_P(MaskedLmContract, AGateOfZeroIsTheBaseAndTheBaseStaysWhole) {
  std::string root = base()->facts().root_hash;
  for (const std::string& method : {config().method, std::string(kInvertible)}) {
    TrainConfig with = config();
    with.method = method;
    train(with, method);
    OpenedLearner opened = open_learner({folder_ / "model", folder_ / method / "adapter"});
    EXPECT_EQ(opened.learner.model->facts().root_hash, root);
    TokenSequence tokens{{2, 6, 4, 8, 4, 3}, {}, {2, 4}};
    auto logits = [&](const std::vector<ActiveAdapter>& adapters) {
      Context context(DType::kF32);
      context.adapters = adapters;
      std::vector<const TokenSequence*> one{&tokens};
      TokenBatch batch =
          make_token_batch(one, {.first_position = opened.learner.model->facts().first_position});
      return learner_logits(context, opened.learner, batch).value().clone();
    };
    auto same = [](const Tensor& a, const Tensor& b) {
      return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
    };
    SiteHooks* hooks = opened.learner.adapter.get();
    Tensor plain = logits({}), adapted = logits({{.hooks = hooks}});
    EXPECT_EQ(plain.shape(), (Shape{2, 48}));
    EXPECT_TRUE(same(plain, logits({{.hooks = hooks, .gate = 0.0f}})));
    EXPECT_TRUE(same(adapted, logits({{.hooks = hooks, .gate = 1.0f}})));
    EXPECT_FALSE(same(plain, adapted)) << method << " has no effect";
  }
}

TEST_P(MaskedLmContract, TrainingLowersTheLossOnWhatItSees) {
  // As wide as the base, whose two random layers have little to build on.
  constexpr const char* kWide =
      "bottleneck[preset=seq_bn_inv,reduction_factor=1,inv_adapter_reduction_factor=1,"
      "init_weights=mam_adapter]";
  for (auto [method, rate] : {std::pair{"lora[r=8,alpha=16]", 5e-3}, {kWide, 1e-2}}) {
    TrainConfig with = config();
    with.method = method;
    with.epochs = 100;
    with.learning_rate = rate;
    with.validation_share = 0;
    with.checkpoint_steps = 0;
    train(with, method);
    RunFolder run = RunFolder::open(folder_ / method);
    Workbench bench = open_workbench(read_run_config(run.path()), paths());
    Learner fresh = bench.make_learner(bench.splits[0]);
    Context context(DType::kF32);
    activate(context, fresh);
    Json before = fresh.task->metrics(predict(context, fresh, bench.pick(bench.splits[0].train)));
    Json after = fresh.task->metrics(outputs_of_run(run, bench, RunSplit::kTrain));
    EXPECT_EQ(before.at("masked_tokens"), after.at("masked_tokens"));
    EXPECT_LT(after.at("loss").get<double>(), 0.5 * before.at("loss").get<double>());
    EXPECT_GT(after.at("masked_accuracy").get<double>(), 0.5);
    EXPECT_LT(before.at("masked_accuracy").get<double>(), 0.2);
    EXPECT_NEAR(after.at("perplexity").get<double>(), std::exp(after.at("loss").get<double>()),
                1e-9);
  }
}

TEST_P(MaskedLmContract, LoraIsSavedForTheBareModelWithoutAHead) {
  Json summary = train(config(), "a");
  fs::path adapter = folder_ / "a" / "adapter";
  Json saved = read_json(adapter / "adapter_config.json");
  EXPECT_EQ(saved.at("task_type"), "FEATURE_EXTRACTION");
  EXPECT_TRUE(saved.at("modules_to_save").is_null());
  EXPECT_FALSE(fs::exists(adapter / "head.json"));
  SafetensorsFile file = SafetensorsFile::open(adapter / "adapter_model.safetensors");
  for (const std::string& name : file.names()) {
    EXPECT_EQ(name.find("cls."), name.npos) << name;
    EXPECT_EQ(name.find("lm_head"), name.npos) << name;
    EXPECT_EQ(name.find("vocab_transform"), name.npos) << name;
  }
  // It goes onto the encoder alone, too, and embeds texts there.
  auto encoder = load_model(folder_ / "model");
  EXPECT_FALSE(encoder->has_masked_lm());
  EXPECT_EQ(load_adapter(adapter, encoder->facts()).label.task, "masked-lm");
  EXPECT_EQ(open_learner({folder_ / "model", adapter, "sentence-embedding"}).learner.layer,
            OutputLayer::kPooling);
  RunFolder run = RunFolder::open(folder_ / "a");
  Workbench bench = open_workbench(read_run_config(run.path()), paths());
  EXPECT_EQ(bench.make_learner(bench.splits[0])
                .task->metrics(outputs_of_run(run, bench, RunSplit::kTest)),
            summary.at("metrics"));
}

TEST_P(MaskedLmContract, MethodsThatTrainTheBasesHeadSaveIt) {
  for (const char* method : {"full", "bitfit", "last_n[n=1]", "bottleneck", kInvertible}) {
    TrainConfig with = config();
    with.method = method;
    std::string name = method;
    Json summary = train(with, name);
    RunFolder run = RunFolder::open(folder_ / name);
    Workbench bench = open_workbench(read_run_config(run.path()), paths());
    EXPECT_EQ(bench.make_learner(bench.splits[0])
                  .task->metrics(outputs_of_run(run, bench, RunSplit::kTest)),
              summary.at("metrics"))
        << method;
  }
}

TEST_P(MaskedLmContract, RefusesWhatCannotBe) {
  TrainConfig with = config();
  with.method = "head";
  EXPECT_NE(refusal(with).find("method head trains the task's own head alone, and masked-lm has "
                               "none"),
            std::string::npos);
  with = config();
  with.pooling = "mean";
  EXPECT_NE(refusal(with).find("leave it at auto"), std::string::npos);
  with = config();
  with.shots = 3;
  EXPECT_NE(refusal(with).find("the task is unlabelled"), std::string::npos);
  with = config();
  with.class_weights = "balanced";
  EXPECT_NE(refusal(with).find("class_weights=balanced"), std::string::npos);
  with = config();
  with.method = GetParam() == "distilbert" ? "lora[target_modules=vocab_transform]"
                                           : "lora[target_modules=decoder]";
  EXPECT_NE(refusal(with).find("matches no linear module"), std::string::npos);
  with = config();
  with.task = "sentence-embedding";
  EXPECT_NE(refusal(with).find("use it with inlay predict"), std::string::npos);
}

TEST_P(MaskedLmContract, ABaseWithoutTheHeadIsRefusedByName) {
  fs::remove_all(folder_ / "model");
  copy_model(GetParam() + "-single-label", "model");
  std::string message = refusal(config());
  EXPECT_NE(message.find((folder_ / "model").string()), std::string::npos);
  EXPECT_NE(message.find("has no masked-LM head"), std::string::npos);
  EXPECT_THROW(open_learner({folder_ / "model", "", "masked-lm"}), Error);
}

}  // namespace
}  // namespace inlay
