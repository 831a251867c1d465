// Training language models on preferences: what a pair is made of, what the base alone gives for
// it, and what accumulation and interruptions may not change.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "eval/answer_pair.h"
#include "tensor/threads.h"
#include "train/trainer.h"
#include "train/workbench.h"
#include "word_model.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Keeps the losses of the steps, and may stop after one of them.
class Watcher : public TrainObserver {
 public:
  struct Stopped {};
  explicit Watcher(int64_t last = 0) : last_(last) {}
  void step(const StepReport& report) override {
    losses.push_back(report.loss);
    if (report.step == last_) throw Stopped{};
  }
  std::vector<double> losses;

 private:
  int64_t last_;
};

class PreferenceTraining : public testing::Test {
 protected:
  void SetUp() override {
    start_threads(1);  // tiny products: more threads only wait for each other
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_preferences_{}", ::getpid());
    fs::remove_all(folder_);
    write_word_model(folder_ / "model");
    std::string lines;
    for (int i = 0; i < 40; ++i) lines += pair(i).dump() + "\n";
    write(lines);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& lines) const {
    write_file_atomically(folder_ / "pairs.jsonl", lines);
  }

  // Answers of 1 to 4 words; the better ones begin with a word of their own.
  static Json pair(int i) {
    std::string prompt = "t" + std::to_string(6 + i % 7) + " t" + std::to_string(20 + i % 5);
    std::string rest;
    for (int t = 0; t < i % 4; ++t) rest += " t" + std::to_string(40 + (i * 3 + t) % 11);
    return {{"prompt", prompt}, {"chosen", " t60" + rest}, {"rejected", " t61" + rest + " t62"}};
  }

  static TrainConfig config(const std::string& task) {
    TrainConfig config;
    config.task = task;
    config.method = "lora[r=4,alpha=8]";
    config.epochs = 2;
    config.batch_size = 8;
    config.compute = "f32";
    return config;
  }

  Workbench open(const TrainConfig& config) const {
    return open_workbench(config, {folder_ / "model", {(folder_ / "pairs.jsonl").string()}});
  }

  struct Trained {
    std::vector<double> losses;
    std::string hash;
    Json metrics;  // of the test part
  };

  Trained train(const TrainConfig& config, Watcher watcher = Watcher(),
                const std::string& checkpoint = "") const {
    Workbench bench = open(config);
    const Split& split = bench.splits[0];
    Learner learner = bench.make_learner(split);
    Context context(bench.compute);
    Trainer trainer(bench.config, learner, context,
                    {bench.pick(split.train), bench.pick(split.validation)});
    trainer.run(checkpoint.empty() ? fs::path() : folder_ / checkpoint, watcher);
    activate(context, learner);
    return {watcher.losses, adapter_hash(learner.adapter.get(), nullptr),
            learner.task->metrics(predict(context, learner, bench.pick(split.test)))};
  }

  fs::path folder_;
};

TEST_F(PreferenceTraining, APairIsTheChosenAnswerBeforeTheRejectedOne) {
  write(R"({"prompt": "t6 t7", "chosen": " t8 t9", "rejected": " t10"})"
        "\n"
        R"({"prompt": "t6", "chosen": " t8", "rejected": " t10"})"
        "\n");
  TrainConfig with = config("dpo");
  with.validation_share = with.test_share = 0;
  Workbench bench = open(with);
  ASSERT_EQ(bench.encoded.size(), 2u);
  const EncodedExample& pair = bench.encoded[0];
  EXPECT_EQ(pair.tokens.ids, (std::vector<int32_t>{6, 7, 8, 9, kWordEos}));
  EXPECT_EQ(pair.tokens.asked, (std::vector<int32_t>{1, 2, 3}));
  ASSERT_EQ(pair.further.size(), 1u);
  EXPECT_EQ(pair.further[0].ids, (std::vector<int32_t>{6, 7, 10, kWordEos}));
  EXPECT_EQ(pair.further[0].asked, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(pair.answers, (std::vector<int32_t>{8, 9, kWordEos, 10, kWordEos}));
  EXPECT_EQ(pair.source->text_pair, " t8 t9");
  EXPECT_EQ(bench.counts.tokens_in_loss, 5 + 4);
}

// A prompt that leaves no room takes both its sequences with it; the other pair is cut.
TEST_F(PreferenceTraining, WhatIsTooLongIsCutOrLeftOutInPairs) {
  write(R"({"prompt": "t6 t7 t8 t9", "chosen": " t8", "rejected": " t10"})"
        "\n"
        R"({"prompt": "t6", "chosen": " t8 t9 t10 t11", "rejected": " t10"})"
        "\n");
  TrainConfig with = config("orpo");
  with.validation_share = with.test_share = 0;
  with.max_length = 4;
  Workbench bench = open(with);
  ASSERT_EQ(bench.encoded.size(), 1u);
  EXPECT_EQ(bench.encoded[0].index, 1u);
  EXPECT_EQ(bench.encoded[0].answers, (std::vector<int32_t>{8, 9, 10, 10, kWordEos}));
  EXPECT_EQ(bench.counts.sequences, 2);
  EXPECT_EQ(bench.counts.without_loss, 2);
  EXPECT_EQ(bench.counts.tokens, 4 + 3);
}

// Before the first step the adapter changes nothing: every margin is 0, to the last bit where the
// reference is computed with packed weights, as here.
TEST_F(PreferenceTraining, BeginsAtTheBaseWhichIsTheReference) {
  EXPECT_NEAR(train(config("dpo")).losses.front(), std::log(2.0), 1e-6);
  TrainConfig with = config("dpo");
  with.memory = "fast";
  Workbench bench = open(with);
  Learner learner = bench.make_learner(bench.splits[0]);
  Context context(bench.compute);
  activate(context, learner);
  for (const ModelOutput& output : predict(context, learner, bench.pick(bench.splits[0].test))) {
    AnswerPair pair = answer_pair(*output.example, output.values);
    EXPECT_EQ(pair.chosen.log_probability, pair.chosen.reference);
    EXPECT_EQ(pair.rejected.log_probability, pair.rejected.reference);
  }
}

// What is packed stays packed, and memory is planned afterwards.
TEST_F(PreferenceTraining, TheReferencePacksWeightsOnlyWhereTheModeIsSettledAndPacksThem) {
  TrainConfig with = config("dpo");
  for (const char* memory : {"auto", "low"}) {
    with.memory = memory;
    EXPECT_EQ(reference_reading(with), onednn::Reading::kStored) << memory;
  }
  for (const char* memory : {"fast", "recompute"}) {
    with.memory = memory;
    EXPECT_EQ(reference_reading(with), onednn::Reading::kPacked) << memory;
  }
}

TEST_F(PreferenceTraining, PatienceWithoutExamplesToChooseByIsRefused) {
  TrainConfig with = config("dpo");
  with.patience = 2;
  open(with);
  with.validation_share = 0;
  EXPECT_THROW(open(with), Error);
}

// Also where all of the base's own weights are trained.
TEST_F(PreferenceTraining, TheReferenceIsTheSameForEveryMethodAndTask) {
  TrainConfig whole = config("dpo");
  whole.method = "full";
  Workbench one = open(config("dpo")), other = open(whole), without = open(config("orpo"));
  ASSERT_EQ(one.encoded.size(), other.encoded.size());
  for (std::size_t i = 0; i < one.encoded.size(); ++i) {
    ASSERT_EQ(one.encoded[i].reference.size(), 2u);
    EXPECT_EQ(one.encoded[i].reference, other.encoded[i].reference);
    EXPECT_TRUE(without.encoded[i].reference.empty());
  }
  EXPECT_NEAR(train(whole).losses.front(), std::log(2.0), 1e-6);
}

TEST_F(PreferenceTraining, AccumulationEqualsOneBatch) {
  for (const char* task : {"dpo", "orpo"}) {
    std::string whole = train(config(task)).hash;
    for (int64_t micro : {1, 3}) {
      TrainConfig with = config(task);
      with.micro_batch = micro;
      EXPECT_EQ(train(with).hash, whole) << task << " " << micro;
    }
  }
}

TEST_F(PreferenceTraining, ResumedIsUninterruptedBitForBit) {
  for (const char* task : {"dpo", "orpo"}) {
    TrainConfig with = config(task);
    with.checkpoint_steps = 1;
    std::string checkpoint = std::string(task) + ".safetensors";
    EXPECT_THROW(train(with, Watcher(3), checkpoint), Watcher::Stopped);
    EXPECT_EQ(train(with, Watcher(), checkpoint).hash, train(with).hash) << task;
  }
}

TEST_F(PreferenceTraining, LearnsWhatPeoplePreferred) {
  for (const char* task : {"dpo", "orpo"}) {
    TrainConfig with = config(task);
    with.epochs = 8;
    with.learning_rate = 0.01;
    with.metric = "negative_loss";
    Json metrics = train(with).metrics;
    EXPECT_EQ(metrics.at("accuracy"), 1.0) << task;
    EXPECT_GT(metrics.at("rewards/margins").get<double>(), 0.1) << task;
    EXPECT_NEAR(
        metrics.at("rewards/margins").get<double>(),
        metrics.at("rewards/chosen").get<double>() - metrics.at("rewards/rejected").get<double>(),
        1e-12);
  }
}

TEST_F(PreferenceTraining, SettingsOfOtherTasksAreRefused) {
  TrainConfig smooth = config("orpo"), packed = config("dpo"), beta = config("causal-lm");
  TrainConfig reversed = config("dpo");
  smooth.label_smoothing = 0.1;
  reversed.label_smoothing = 0.5;
  packed.packing = true;
  packed.max_length = 32;
  beta.beta = 0.5;
  TrainConfig column = config("dpo");
  column.text_column = "prompt";
  for (const TrainConfig& with : {smooth, packed, beta, reversed, column})
    EXPECT_THROW(open(with), Error);
  TrainConfig noisy = config("dpo");
  noisy.label_smoothing = 0.1;
  EXPECT_NEAR(train(noisy).losses.front(), std::log(2.0), 1e-6);
}

}  // namespace
}  // namespace inlay
