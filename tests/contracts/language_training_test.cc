// Training language models on texts and conversations: what packing, accumulation, padding, threads
// and interruptions may not change.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "adapters/storage.h"
#include "base/files.h"
#include "base/random.h"
#include "stop_at.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/training_run.h"
#include "word_model.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class LanguageTraining : public testing::Test {
 protected:
  void SetUp() override {
    start_threads(1);  // tiny products: more threads only wait for each other
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_language_{}", ::getpid());
    fs::remove_all(folder_);
    write_word_model(model());
    std::string text;
    for (uint64_t i = 0; i < 60; ++i) text += Json{{"text", sentence(i)}}.dump() + "\n";
    write_file_atomically(folder_ / "texts.jsonl", text);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path model() const { return folder_ / "model"; }

  // A few patterns of 2 to 10 words.
  static std::string sentence(uint64_t i) {
    std::string text;
    for (uint64_t t = 0; t < 2 + i % 9; ++t)
      text += (t > 0 ? " t" : "t") + std::to_string(6 + (i % 5) * 10 + t);
    return text;
  }

  TrainConfig config() const {
    TrainConfig config;
    config.task = "causal-lm";
    config.method = "lora[r=4,alpha=8,dropout=0.1]";
    config.epochs = 2;
    config.batch_size = 8;
    config.compute = "f32";
    config.checkpoint_steps = 1;
    return config;
  }

  WorkbenchPaths paths() const { return {model(), {(folder_ / "texts.jsonl").string()}}; }

  Json train(const TrainConfig& config, const std::string& name,
             RunStart start = RunStart::kNew) const {
    RunObserver silent;
    return run_training(config, paths(), folder_ / name, start, silent);
  }

  std::string adapter_of(const std::string& name) const {
    auto base = load_model(model(), {.language_model = true});
    LoadedAdapter loaded = load_adapter(folder_ / name / "adapter", base->facts());
    return adapter_hash(loaded.adapter.get(), loaded.head.get());
  }

  // The loss of every token that is asked for, of these examples as one batch.
  static std::vector<float> losses(const Learner& learner,
                                   const std::vector<const EncodedExample*>& examples) {
    Context context(DType::kF32);
    activate(context, learner);
    std::vector<float> all;
    for (const ModelOutput& output : predict(context, learner, examples))
      all.insert(all.end(), output.values.begin(), output.values.end());
    return all;
  }

  fs::path folder_;
};

TEST_F(LanguageTraining, PackedEqualsUnpacked) {
  TrainConfig with = config();
  with.packing = true;
  with.max_length = 24;
  Workbench bench = open_workbench(with, paths());
  Learner learner = bench.make_learner(bench.splits[0]);
  std::size_t packed_rows = 0, batches = 0, tokens = 0;
  for (const auto& batch :
       batches_of_epoch(bench.pick(bench.splits[0].train), batch_plan(bench.config), 0)) {
    std::vector<float> together = losses(learner, batch), alone;
    for (const EncodedExample* example : batch) {
      std::vector<float> own = losses(learner, {example});
      alone.insert(alone.end(), own.begin(), own.end());
      tokens += example->tokens.ids.size();
    }
    EXPECT_EQ(together, alone);  // to the last bit
    packed_rows += batch.size();
    ++batches;
  }
  EXPECT_EQ(packed_rows, bench.splits[0].train.size());
  EXPECT_GE(batches * 8 * 24, tokens);
  EXPECT_LT(batches, (packed_rows + 7) / 8);  // fewer than with one text in each place
  Json summary = train(with, "packed");
  EXPECT_LT(summary.at("metrics").at("loss").get<double>(), std::log(96.0) + 1);
}

TEST_F(LanguageTraining, AccumulationEqualsOneBatch) {
  train(config(), "whole");
  for (int64_t micro : {1, 3}) {
    TrainConfig with = config();
    with.micro_batch = micro;
    train(with, "micro-" + std::to_string(micro));
    EXPECT_EQ(adapter_of("micro-" + std::to_string(micro)), adapter_of("whole")) << micro;
  }
}

TEST_F(LanguageTraining, PadEqualsEosKeepsEosInTheLoss) {
  Workbench bench = open_workbench(config(), paths());
  EXPECT_EQ(bench.encoded.size(), 60u);
  for (const EncodedExample& example : bench.encoded) {
    EXPECT_EQ(example.tokens.ids.back(), kWordEos);
    EXPECT_EQ(example.answers.back(), kWordEos);
    EXPECT_EQ(example.tokens.asked.size() + 1, example.tokens.ids.size());
  }
}

TEST_F(LanguageTraining, ResumedIsUninterruptedBitForBit) {
  train(config(), "whole");
  for (int64_t step : {1, 7}) {
    std::string name = "stopped-" + std::to_string(step);
    StopAt stop(step);
    EXPECT_THROW(run_training(config(), paths(), folder_ / name, RunStart::kNew, stop), Stopped);
    train(config(), name, RunStart::kResume);
    EXPECT_EQ(adapter_of(name), adapter_of("whole")) << step;
  }
}

TEST_F(LanguageTraining, OneThreadAndTwoAreBitForBitTheSame) {
  for (const char* compute : {"f32", "bf16"}) {
    TrainConfig with = config();
    with.compute = compute;
    start_threads(1);
    train(with, std::string("one-") + compute);
    start_threads(2);
    train(with, std::string("two-") + compute);
    EXPECT_EQ(adapter_of(std::string("one-") + compute), adapter_of(std::string("two-") + compute));
  }
}

TEST_F(LanguageTraining, LearnsWhatTheTextsSay) {
  TrainConfig with = config();
  with.epochs = 12;
  with.learning_rate = 0.02;
  double loss = train(with, "long").at("metrics").at("loss").get<double>();
  // The five patterns part at the first word and at the end: well below the log of the vocabulary.
  EXPECT_LT(loss, 0.7 * std::log(96.0));
}

// Long texts go on in further sequences, of which every token but the first is asked for once.
TEST_F(LanguageTraining, LongTextsAreSplitOrCutAsAsked) {
  write_file_atomically(
      folder_ / "texts.jsonl",
      Json{{"text", sentence(8) + " " + sentence(17) + " " + sentence(26)}}.dump() + "\n" +
          Json{{"text", "t6 t7"}}.dump() + "\n");
  TrainConfig with = config();
  with.max_length = 8;
  with.test_share = 0;
  with.validation_share = 0;
  Workbench split = open_workbench(with, paths());
  std::size_t asked = 0;
  for (const EncodedExample& example : split.encoded) {
    EXPECT_LE(example.tokens.ids.size(), 8u);
    asked += example.index == 0 ? example.answers.size() : 0;
  }
  EXPECT_EQ(asked, 30u);  // of 30 words and the end, all but the first
  EXPECT_EQ(split.pick({0}).size(), split.encoded.size() - 1);
  with.too_long = "truncate";
  Workbench cut = open_workbench(with, paths());
  EXPECT_EQ(cut.encoded.size(), 2u);
  EXPECT_EQ(cut.counts.truncated, 1);
  EXPECT_EQ(cut.counts.tokens_cut, 31 - 8);
}

}  // namespace
}  // namespace inlay
