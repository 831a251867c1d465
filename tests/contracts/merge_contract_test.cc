// What merging promises: the plain model gives what base and adapter gave, in the base's own types,
// or the adapter is refused by name; the base and the folders around it stay as they were.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "adapters/merged_checkpoint.h"
#include "autograd/operands.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "eval/merge_model.h"
#include "formats/safetensors.h"
#include "method_cases.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& name) { return source_dir() / "tests/golden/models" / name; }

class MergeContract : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_merge_{}", ::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A golden model with its tensors in `dtype`.
  fs::path base(const std::string& name, DType dtype = DType::kF32) const {
    fs::path folder = folder_ / (name + "-" + std::string(dtype_name(dtype)));
    fs::create_directories(folder);
    Checkpoint weights = Checkpoint::open(golden(name));
    std::vector<NamedTensor> tensors;
    for (const std::string& tensor : weights.names()) {
      Tensor value = weights.tensor(tensor);
      tensors.push_back({tensor, is_floating(value.dtype()) ? value.to(dtype) : value});
    }
    write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
    fs::copy_file(golden(name) / "config.json", folder / "config.json");
    write_file_atomically(folder / "vocab.txt", "[PAD]\n[UNK]\n");
    return folder;
  }

  // A golden masked-LM model whose files repeat the tied table under the decoder's name.
  fs::path repeating(const fs::path& model, const Family& family) const {
    fs::path folder = model.string() + "-repeating";
    fs::copy(model, folder);
    Checkpoint weights = Checkpoint::open(model);
    std::vector<NamedTensor> tensors;
    for (const std::string& tensor : weights.names()) {
      tensors.push_back({tensor, weights.tensor(tensor).clone()});
      if (!tensor.ends_with("word_embeddings.weight")) continue;
      const char* decoder = family.name == "bert"      ? "cls.predictions.decoder.weight"
                            : family.name == "roberta" ? "lm_head.decoder.weight"
                                                       : "vocab_projector.weight";
      tensors.push_back({decoder, weights.tensor(tensor).clone()});
    }
    write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
    return folder;
  }

  // An adapter whose every parameter has moved, saved for the base.
  fs::path adapter(const fs::path& base, const std::string& method, const HeadLabel& label,
                   int64_t outputs = 3) const {
    auto model = load_model(base, {.masked_lm = label.task == "masked-lm"});
    auto adapter = Adapter::create("merged", parse_method(method), model->facts(), 3);
    for (Adapter::Entry& entry : adapter->entries()) {
      if (!entry.trained) continue;
      Stream stream(11, entry.parameter.name());
      Tensor moved = entry.parameter.value().clone();
      for (int64_t i = 0; i < moved.count(); ++i)
        moved.mutable_data<float>()[i] += 0.05f * stream.normal(static_cast<uint64_t>(i));
      entry.parameter.set_value(std::move(moved));
    }
    std::unique_ptr<Head> head;
    const TaskInfo& task = find_task(label.task);
    if (task.layer == OutputLayer::kHead) {
      HeadKind kind = task.make(label.classes, outputs, {})->head_kind();
      head = std::make_unique<Head>(model->facts().head_layout(kind), model->facts().hidden,
                                    outputs, 0.1, 4);
    }
    save_adapter(folder_ / "adapter", {adapter.get(), head.get(), label}, model->facts());
    return folder_ / "adapter";
  }

  std::string refusal(const MergeRequest& request) const {
    try {
      merge_model(request);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const HeadLabel classes_{
      "text-classification", "single_label_classification", "SEQ_CLS", {"bad", "fair", "good"}};
  fs::path folder_;
};

// Roundings on the way to a logit, of the stored type; measured against the effect of the adapter.
double tolerance(DType stored) {
  if (stored == DType::kF32) return 1e-5;
  return stored == DType::kF16 ? 0.01 : 0.05;
}

TEST_F(MergeContract, Trap10MergedIsUnmergedForEveryTypeOfBase) {
  for (DType stored : {DType::kF32, DType::kBF16, DType::kF16}) {
    fs::path model = base("bert-single-label", stored);
    std::string before = Checkpoint::open(model).root_hash();
    fs::path out = folder_ / fmt::format("out-{}", dtype_name(stored));
    MergeReport report = merge_model({model, adapter(model, "lora[r=4,alpha=8]", classes_), out});
    EXPECT_EQ(Checkpoint::open(model).root_hash(), before);
    Checkpoint merged = Checkpoint::open(out);
    for (const std::string& name : Checkpoint::open(model).names()) {
      if (name.starts_with("classifier.")) continue;
      EXPECT_EQ(merged.stored(name).type, Checkpoint::open(model).stored(name).type) << name;
    }
    const LogitDifference& exact = report.differences.front();
    EXPECT_EQ(exact.compute, DType::kF32);
    EXPECT_GT(exact.values, 0);
    EXPECT_GT(exact.effect, 0.01);
    EXPECT_LT(exact.max, tolerance(stored) * exact.effect) << dtype_name(stored);
    EXPECT_LE(exact.mean, exact.max);
    EXPECT_GT(exact.max, 0) << dtype_name(stored);
  }
}

// Accumulated in float32 and rounded once: every element is the rounding of the float32 sum.
TEST_F(MergeContract, Trap10EachSumIsRoundedOnce) {
  fs::path folder = base("bert-single-label", DType::kBF16);
  auto model = load_model(folder);
  LoadedAdapter loaded =
      load_adapter(adapter(folder, "lora[r=4,alpha=8]", classes_), model->facts());
  MergedCheckpoint merged = merge_into(model->checkpoint(), model->facts(), loaded.adapter.get());
  const Site& site = *loaded.adapter->sites().front();
  Tensor found;
  for (const NamedTensor& named : merged.tensors) {
    if (named.name == "bert." + site.name + ".weight") found = named.tensor;
  }
  ASSERT_TRUE(found.defined());
  const Tensor *a = nullptr, *b = nullptr;
  for (const Adapter::Entry& entry : loaded.adapter->entries()) {
    if (entry.site != &site) continue;
    (entry.part == "lora_A.weight" ? a : b) = &entry.parameter.value();
  }
  int64_t changed = 0;
  for (int64_t i = 0; i < found.count(); ++i) {
    double delta = 0;
    for (int64_t k = 0; k < 4; ++k) {
      delta += double{b->data<float>()[i / site.in * 4 + k]} *
               a->data<float>()[k * site.in + i % site.in];
    }
    double stored = in(site.weight).load<double>(i), exact = stored + 2 * delta;
    double now = in(found).load<double>(i);
    // Half a unit of bfloat16's last place, and the float32 sum's own error.
    EXPECT_LE(std::fabs(now - exact), std::ldexp(std::fabs(exact), -8) * 1.001 + 1e-7) << i;
    changed += now != stored;
  }
  EXPECT_GT(changed, found.count() / 2);
}

TEST_F(MergeContract, TheHeadTakesHuggingFacesNamesAndConfig) {
  fs::path model = base("roberta-single-label");
  MergeReport report = merge_model({model, adapter(model, "lora[r=2]", classes_), folder_ / "out"});
  EXPECT_EQ(report.head, "classifier.out_proj");
  Json config = read_json(folder_ / "out/config.json", 1 << 20);
  EXPECT_EQ(config.at("architectures"), Json({"RobertaForSequenceClassification"}));
  EXPECT_EQ(config.at("id2label"), Json({{"0", "bad"}, {"1", "fair"}, {"2", "good"}}));
  EXPECT_EQ(config.at("label2id").at("good"), 2);
  EXPECT_EQ(config.at("num_labels"), 3);
  Checkpoint merged = Checkpoint::open(folder_ / "out");
  EXPECT_EQ(merged.tensor("classifier.out_proj.weight").dim(0), 3);
  EXPECT_TRUE(fs::exists(folder_ / "out/vocab.txt"));
  for (const std::string& name : merged.names())
    EXPECT_TRUE(name.starts_with("roberta.") || name.starts_with("classifier.")) << name;
  // The head alone, on the merged model.
  auto again = load_model(folder_ / "out");
  LoadedAdapter head = load_adapter(folder_ / "out/head", again->facts());
  EXPECT_TRUE(head.adapter->sites().empty());
  EXPECT_EQ(head.label.classes, classes_.classes);
}

// What the merged folder gives by its own files alone, read as Hugging Face names them.
Tensor logits_of_folder(const fs::path& folder, HeadKind kind, const TokenBatch& batch) {
  Learner learner;
  learner.model = load_model(folder);
  const BaseFacts& facts = learner.model->facts();
  const Checkpoint& files = learner.model->checkpoint();
  HeadLayout layout = facts.head_layout(kind);
  int64_t outputs = files.tensor(layout.output + ".weight").dim(0);
  learner.head = std::make_unique<Head>(layout, facts.hidden, outputs, 0.0, 1);
  for (Parameter& parameter : learner.head->parameters())
    parameter.set_value(files.tensor(parameter.name()).clone());
  Context context(DType::kF32);
  return learner_logits(context, learner, batch).value().clone();
}

// Heads of questions: the folder has the names and shapes of Hugging Face's own, which the golden
// folders have, and its files alone give what base, adapter and head gave.
TEST_F(MergeContract, HeadsOfQuestionsAreHuggingFaces) {
  for (const std::string& family : encoder_families()) {
    for (const char* task : {"question-answering", "multiple-choice"}) {
      std::string name = family + "-" + task;
      const TaskInfo& info = find_task(task);
      HeadKind kind = info.make({}, 0, {})->head_kind();
      int64_t outputs = kind == HeadKind::kQuestionAnswering ? 2 : 1;
      fs::path folder = base(name), out = folder_ / ("out-" + name);
      fs::path trained =
          adapter(folder, "lora[r=4,alpha=8]", {task, "", info.peft_type, {}}, outputs);
      MergeReport report = merge_model({folder, trained, out});
      EXPECT_NE(report.head, "head/") << name;

      Json config = read_json(out / "config.json", 1 << 20);
      Json own = read_json(golden(name) / "config.json", 1 << 20);
      EXPECT_EQ(config.at("architectures"), own.at("architectures"));
      EXPECT_EQ(config.contains("num_labels"), kind == HeadKind::kQuestionAnswering);
      Checkpoint merged = Checkpoint::open(out), expected = Checkpoint::open(golden(name));
      EXPECT_EQ(merged.names(), expected.names()) << name;
      for (const std::string& tensor : expected.names())
        EXPECT_EQ(merged.tensor(tensor).shape(), expected.tensor(tensor).shape()) << tensor;

      auto model = load_model(folder);
      std::vector<TokenSequence> probe = probe_sequences(model->facts(), {}, 8);
      std::vector<const TokenSequence*> pointers;
      for (TokenSequence& sequence : probe) {
        sequence.ids.resize(std::min<std::size_t>(sequence.ids.size(), 12));
        sequence.types.resize(sequence.ids.size());
        pointers.push_back(&sequence);
      }
      TokenBatch batch =
          make_token_batch(pointers, {.first_position = model->facts().first_position});
      Learner learner = learner_from(model, load_adapter(trained, model->facts()));
      Context context(DType::kF32);
      activate(context, learner);
      Tensor before = learner_logits(context, learner, batch).value();
      Tensor after = logits_of_folder(out, kind, batch);
      ASSERT_EQ(before.shape(), after.shape());
      for (int64_t i = 0; i < before.count(); ++i)
        EXPECT_NEAR(before.data<float>()[i], after.data<float>()[i], 1e-5) << name << " at " << i;
    }
  }
}

// Trap 18: a trained word table that the masked-LM decoder shares, whether or not the files repeat
// it, survives save, load and merge.
TEST_F(MergeContract, Trap18TiedEmbeddingsAreMergedTogether) {
  for (const std::string& family : encoder_families()) {
    fs::path model = base(family + "-masked-lm");
    HeadLabel label{"masked-lm", "", "", {}};
    fs::path out = folder_ / ("out-" + family);
    MergeReport report = merge_model({model, adapter(model, "full", label), out});
    EXPECT_GT(report.differences.front().effect, 0.1) << family;
    EXPECT_LT(report.differences.front().max, 1e-5 * report.differences.front().effect) << family;
    Checkpoint before = Checkpoint::open(model), after = Checkpoint::open(out);
    for (const std::string& name : before.names()) {
      if (name.ends_with("position_ids")) continue;
      EXPECT_NE(before.tensor_hash(name), after.tensor_hash(name)) << name;
    }
  }
}

// Trap 18 for the rows of a few tokens: they alone change, in the table and in what repeats it, and
// the merged model's masked-LM logits are those of base and adapter.
TEST_F(MergeContract, Trap18TrainedTokensAreMergedIntoTableAndTiedDecoder) {
  HeadLabel label{"masked-lm", "", "", {}};
  for (const Family* family : text_families()) {
    if (is_decoder(*family)) continue;  // has no such head
    fs::path plain = base(family->name + "-masked-lm");
    for (bool repeats : {false, true}) {
      SCOPED_TRACE(family->name + (repeats ? ", decoder in the file" : ""));
      fs::path model = repeats ? repeating(plain, *family) : plain;
      fs::path out = folder_ / fmt::format("out-{}-{}", family->name, repeats);
      MergeReport report = merge_model(
          {model, adapter(model, "trainable_tokens[token_indices=30+2+4+17+9+41+5]", label), out});
      EXPECT_GT(report.differences.front().effect, 0.01);
      EXPECT_LT(report.differences.front().max, 1e-5 * report.differences.front().effect);
      Checkpoint before = Checkpoint::open(model), after = Checkpoint::open(out);
      int changed = 0;
      for (const std::string& name : before.names()) {
        if (before.tensor_hash(name) == after.tensor_hash(name)) continue;
        ++changed;
        Tensor was = before.tensor(name), is = after.tensor(name);
        for (int64_t row = 0; row < was.dim(0); ++row) {
          Tensor old = was.rows(row, row + 1), now = is.rows(row, row + 1);
          bool same = std::memcmp(old.raw(), now.raw(), old.byte_count()) == 0;
          bool trained =
              row == 30 || row == 2 || row == 4 || row == 17 || row == 9 || row == 41 || row == 5;
          EXPECT_NE(same, trained) << name << " row " << row;
        }
      }
      EXPECT_EQ(changed, repeats ? 2 : 1);
    }
  }
}

TEST_F(MergeContract, WhatCannotBeMergedIsRefusedByName) {
  fs::path model = base("bert-single-label");
  std::string text =
      refusal({model, adapter(model, "bottleneck[reduction_factor=4]", classes_), folder_ / "out"});
  EXPECT_NE(text.find("method bottleneck cannot be merged"), text.npos) << text;
  EXPECT_NE(text.find("encoder.layer.0"), text.npos) << text;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_FALSE(fs::exists(folder_ / ".out.partial"));
  text = refusal({model, adapter(model, "lora[r=2,use_gating=true]", classes_), folder_ / "out"});
  EXPECT_NE(text.find("method lora cannot be merged"), text.npos) << text;
  fs::create_directories(folder_ / "taken");
  text = refusal({model, adapter(model, "lora[r=2]", classes_), folder_ / "taken"});
  EXPECT_NE(text.find("is there already"), text.npos) << text;
}

TEST_F(MergeContract, AnOverflowOfTheStoredTypeIsRefused) {
  fs::path model = base("bert-single-label", DType::kF16);
  std::string text =
      refusal({model, adapter(model, "lora[r=2,alpha=100000000]", classes_), folder_ / "out"});
  EXPECT_NE(text.find("that F16 cannot hold"), text.npos) << text;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

// Each family of texts, each method that can be merged into all its sites; the others say that they
// cannot.
TEST_F(MergeContract, EveryMethodIsMergedOrRefused) {
  int merged = 0;
  std::vector<std::string> of_images = methods_of_images();
  for (const Family* family : text_families()) {
    fs::path model = base(family->name + "-single-label");
    for (const MethodInfo* method : all_methods()) {
      if (std::find(of_images.begin(), of_images.end(), method->name) != of_images.end()) continue;
      try {
        MergeRequest request{model, adapter(model, method->example, classes_),
                             folder_ / (family->name + "-" + method->name)};
        MergeReport report = merge_model(request);
        const LogitDifference& exact = report.differences.front();
        EXPECT_LE(exact.max, 2e-5 * std::max(exact.effect, 0.1)) << family->name << method->name;
        ++merged;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage);
        std::string text = error.what();
        bool lacks_biases =
            method->name == "bitfit" && text.find("base has no biases") != std::string::npos;
        EXPECT_TRUE(lacks_biases ||
                    text.find(method->name + " cannot be merged") != std::string::npos)
            << text;
      }
    }
  }
  EXPECT_GE(merged, 3 * 4);  // LoRA and what replaces tensors
}

}  // namespace
}  // namespace inlay
