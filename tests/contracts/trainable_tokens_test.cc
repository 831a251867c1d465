// Trained rows of the word table where they count twice, in a base whose masked-LM decoder is tied
// to it: gates, mixed batches, gradients, unions; and which tokens may be named.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>

#include "adapters/storage.h"
#include "autograd/operands.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "families.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokens = "trainable_tokens[token_indices=30+2+4+17+9+41+5]";

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

class TrainableTokens : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t kExamples = 6, kVocabulary = 48;

  TrainableTokens()
      : model_(load_model(source_dir() / "tests/golden/models" / (GetParam() + "-masked-lm"),
                          {.masked_lm = true})),
        rows_(kExamples) {
    Stream stream(7, "tokens");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (uint64_t t = 0; t < 3 + (i * 5) % 7; ++t) {
        rows_[i].ids.push_back(static_cast<int32_t>(stream.below(kVocabulary, 64 * i + t)));
        rows_[i].types.push_back(0);
      }
    }
  }

  std::unique_ptr<Adapter> moved(const std::string& method, DType dtype = DType::kF32) const {
    auto adapter = Adapter::create("tokens", parse_method(method), model_->facts(), 1);
    for (Adapter::Entry& entry : adapter->entries()) {
      Stream stream(11, entry.parameter.name());
      Tensor value = entry.parameter.value().clone();
      for (int64_t i = 0; i < value.count(); ++i)
        value.mutable_data<float>()[i] += 0.05f * stream.normal(static_cast<uint64_t>(i));
      entry.parameter.set_value(std::move(value));
    }
    adapter->convert(dtype);
    return adapter;
  }

  TokenBatch batch(int64_t first, int64_t last) const {
    std::vector<const TokenSequence*> pointers;
    for (int64_t i = first; i < last; ++i) pointers.push_back(&rows_[static_cast<std::size_t>(i)]);
    return make_token_batch(pointers,
                            {.first = first, .first_position = model_->facts().first_position});
  }

  // Logits of every token of the vocabulary for every token of the examples.
  Variable run(Context& context, const TokenBatch& examples) const {
    return model_->masked_lm_logits(context, model_->encode(context, examples));
  }
  Tensor logits(const std::vector<ActiveAdapter>& adapters, DType dtype = DType::kF32) const {
    Context context(dtype);
    context.tape.set_recording(false);
    context.adapters = adapters;
    TokenBatch all = batch(0, kExamples);
    return run(context, all).value().clone();
  }

  // Of all parameters, for a drawn gradient of the logits, by micro-batches of `size` examples.
  std::vector<Tensor> gradients(Adapter& adapter, DType dtype, int64_t size) const {
    Context context(dtype);
    context.adapters = {{.hooks = &adapter}};
    int64_t row = 0;
    for (int64_t first = 0; first < kExamples; first += size) {
      TokenBatch part = batch(first, first + size);
      Variable y = run(context, part);
      Tensor seed = Tensor::empty(y.shape(), y.dtype());
      for (int64_t i = 0; i < seed.count(); ++i)
        out(seed).store(i, direction(row * kVocabulary + i));
      row += y.rows();
      context.tape.backward(y, seed);
    }
    std::vector<Tensor> taken;
    for (Adapter::Entry& entry : adapter.entries())
      taken.push_back(entry.parameter.take_gradient().clone());
    return taken;
  }
  static double direction(int64_t i) {
    return static_cast<double>(Stream(13, "direction").normal(static_cast<uint64_t>(i)));
  }

  std::shared_ptr<const Model> model_;
  std::vector<TokenSequence> rows_;
};

INSTANTIATE_TEST_SUITE_P(Families, TrainableTokens, testing::ValuesIn(encoder_families()));

TEST_P(TrainableTokens, GatesEndInTheBaseAndInTheAdapterForTheTiedDecoderToo) {
  auto adapter = moved(kTokens);
  Tensor base = logits({}), whole = logits({{.hooks = adapter.get()}});
  EXPECT_FALSE(same_bits(base, whole));
  EXPECT_TRUE(same_bits(base, logits({{.hooks = adapter.get(), .gate = 0.0f}})));
  ActiveAdapter gated{.hooks = adapter.get(), .gate = 0.0f};
  for (const Site* site : adapter->sites()) gated.site_gates[site->index] = 1.0f;
  EXPECT_TRUE(same_bits(whole, logits({gated})));
  Tensor half = logits({{.hooks = adapter.get(), .gate = 0.5f}});
  EXPECT_FALSE(same_bits(half, base));
  EXPECT_FALSE(same_bits(half, whole));
}

TEST_P(TrainableTokens, AFreshAdapterIsTheBaseUpToTheRoundingOfAProduct) {
  auto adapter = Adapter::create("fresh", parse_method(kTokens), model_->facts(), 1);
  Tensor base = logits({}), fresh = logits({{.hooks = adapter.get()}});
  for (int64_t i = 0; i < base.count(); ++i)
    ASSERT_NEAR(fresh.data<float>()[i], base.data<float>()[i], 1e-5) << i;
}

TEST_P(TrainableTokens, Trap16RowsOfAMixedBatchAreThoseOfTheirOwnAdapters) {
  auto one = moved(kTokens), other = moved("trainable_tokens[token_indices=7+30]");
  Context context(DType::kF32);
  context.tape.set_recording(false);
  context.segments = {
      {0, 2, {}}, {2, 4, {{.hooks = one.get()}}}, {4, kExamples, {{.hooks = other.get()}}}};
  TokenBatch all = batch(0, kExamples);
  Tensor mixed = run(context, all).value();
  auto expect_rows = [&](const Tensor& own, std::size_t first, std::size_t last) {
    int64_t begin = all.tokens.example_offsets[first], end = all.tokens.example_offsets[last];
    EXPECT_TRUE(same_bits(mixed.rows(begin, end), own.rows(begin, end))) << first;
  };
  expect_rows(logits({}), 0, 2);
  expect_rows(logits({{.hooks = one.get()}}), 2, 4);
  expect_rows(logits({{.hooks = other.get()}}), 4, kExamples);
}

TEST_P(TrainableTokens, GradientsThroughTableAndDecoderAreThoseOfFiniteDifferences) {
  for (const char* method : {kTokens, "trainable_tokens[token_indices=30+2+17]|bitfit"}) {
    auto adapter = moved(method, DType::kF64);
    std::vector<Tensor> found = gradients(*adapter, DType::kF64, kExamples);
    auto loss = [&] {
      Tensor y = logits({{.hooks = adapter.get()}}, DType::kF64);
      double sum = 0;
      for (int64_t i = 0; i < y.count(); ++i) sum += y.data<double>()[i] * direction(i);
      return sum;
    };
    for (std::size_t p = 0; p < found.size(); ++p) {
      Parameter& parameter = adapter->entries()[p].parameter;
      Tensor start = parameter.value().clone();
      Stream stream(17, parameter.name());
      double expected = 0, size = 0;
      auto moved_by = [&](double step) {
        Tensor value = start.clone();
        for (int64_t i = 0; i < value.count(); ++i)
          value.mutable_data<double>()[i] += step * stream.normal(static_cast<uint64_t>(i));
        parameter.set_value(std::move(value));
        return loss();
      };
      for (int64_t i = 0; i < start.count(); ++i) {
        double term = found[p].data<double>()[i] * stream.normal(static_cast<uint64_t>(i));
        expected += term;
        size += std::fabs(term);
      }
      double measured = (moved_by(1e-5) - moved_by(-1e-5)) / 2e-5;
      parameter.set_value(std::move(start));
      EXPECT_NEAR(measured, expected, 1e-5 * size + 1e-7) << parameter.name();
    }
  }
}

TEST_P(TrainableTokens, GradientsDependNeitherOnMicroBatchesNorOnThreads) {
  auto adapter = moved(kTokens);
  for (DType compute : {DType::kF32, DType::kBF16}) {
    std::vector<Tensor> whole = gradients(*adapter, compute, kExamples);
    EXPECT_TRUE(same_bits(gradients(*adapter, compute, 2).front(), whole.front()));
    int threads = omp_get_max_threads();
    omp_set_num_threads(threads == 1 ? 2 : 1);
    EXPECT_TRUE(same_bits(gradients(*adapter, compute, kExamples).front(), whole.front()));
    omp_set_num_threads(threads);
  }
}

TEST_P(TrainableTokens, AUnionWithLoraIsWhatBothGiveOneAfterTheOther) {
  auto both = moved(std::string(kTokens) + "|lora[r=2,target_modules=all-linear]");
  fs::path folder = fs::path(testing::TempDir()) / ("inlay_tokens_" + GetParam());
  save_adapter(folder, {both.get(), nullptr, {"masked-lm", "", "", {}}}, model_->facts());
  LoadedAdapter loaded = load_adapter(folder, model_->facts());
  EXPECT_TRUE(
      same_bits(logits({{.hooks = both.get()}}), logits({{.hooks = loaded.adapter.get()}})));
  fs::remove_all(folder);
}

// A file whose decoder has other contents than the table: the two are not tied.
TEST_P(TrainableTokens, ADecoderOfItsOwnKeepsItsRows) {
  fs::path folder = fs::path(testing::TempDir()) / ("inlay_untied_" + GetParam());
  fs::remove_all(folder);
  fs::create_directories(folder);
  fs::copy_file(model_->facts().folder / "config.json", folder / "config.json");
  const char* decoder = GetParam() == "bert"      ? "cls.predictions.decoder.weight"
                        : GetParam() == "roberta" ? "lm_head.decoder.weight"
                                                  : "vocab_projector.weight";
  std::vector<NamedTensor> tensors;
  for (const std::string& name : model_->checkpoint().names()) {
    tensors.push_back({name, model_->checkpoint().tensor(name).clone()});
    if (!name.ends_with("word_embeddings.weight")) continue;
    Tensor own = tensors.back().tensor.clone();
    own.mutable_data<float>()[0] += 1;
    tensors.push_back({decoder, std::move(own)});
  }
  write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
  model_ = load_model(folder, {.masked_lm = true});
  rows_.assign(kExamples, {{2, 6, 3}, {0, 0, 0}, {}});  // none of the trained tokens
  auto adapter = moved("trainable_tokens[token_indices=30+17]");
  EXPECT_TRUE(same_bits(logits({}), logits({{.hooks = adapter.get()}})));
  fs::remove_all(folder);
}

template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST_P(TrainableTokens, TokensThatCannotBeAreRefusedByName) {
  auto create = [&](const std::string& tokens) {
    return refusal([&] {
      Adapter::create("refused", parse_method("trainable_tokens[token_indices=" + tokens + "]"),
                      model_->facts(), 1);
    });
  };
  EXPECT_NE(create("3+48").find("names \"48\", which is no row of"), std::string::npos);
  EXPECT_NE(create("3+48").find("from 0 to 47"), std::string::npos);
  EXPECT_NE(create("-1").find("names \"-1\""), std::string::npos);
  EXPECT_NE(create("cat").find("names \"cat\""), std::string::npos);
  EXPECT_NE(create("99999999999999999999").find("names \"999"), std::string::npos);
  EXPECT_NE(create("3+7+3").find("names 3 twice"), std::string::npos);
}

TEST_P(TrainableTokens, BesideAnotherAdapterOfTheTableItIsRefused) {
  auto tokens = moved(kTokens), full = moved("full");
  for (SiteHooks* other :
       {static_cast<SiteHooks*>(full.get()), static_cast<SiteHooks*>(tokens.get())}) {
    std::string text = refusal([&] { logits({{.hooks = tokens.get()}, {.hooks = other}}); });
    EXPECT_NE(text.find("two active adapters replace the tensors of"), std::string::npos) << text;
  }
}

// Named alone, the method trains what stands around every text, and keeps which tokens these are.
TEST_P(TrainableTokens, WithoutNamesItTrainsTheTokensAroundEveryText) {
  fs::path folder = fs::path(testing::TempDir()) / ("inlay_special_" + GetParam());
  fs::remove_all(folder);
  fs::create_directories(folder);
  for (const char* file : {"config.json", "model.safetensors"})
    fs::copy_file(model_->facts().folder / file, folder / file);
  std::string words = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (int i = 5; i < kVocabulary; ++i) words += "w" + std::to_string(i) + "\n";
  write_file_atomically(folder / "vocab.txt", words);
  auto model = load_model(folder);
  for (const char* method :
       {"trainable_tokens", "lora|trainable_tokens", "stack(lora, trainable_tokens)"}) {
    auto adapter = Adapter::create("special", parse_method(method), model->facts(), 1);
    EXPECT_NE(adapter->method_text().find("token_indices=2+3"), std::string::npos)
        << adapter->method_text();
  }
  fs::remove_all(folder);
}

// As PEFT writes it: ids are numbers, and the targets are the table's name.
TEST_P(TrainableTokens, ThePeftFileNamesTokensAndTable) {
  auto adapter = moved(kTokens);
  fs::path folder = fs::path(testing::TempDir()) / ("inlay_peft_" + GetParam());
  save_adapter(folder, {adapter.get(), nullptr, {"masked-lm", "", "", {}}}, model_->facts());
  Json config = read_json(folder / "adapter_config.json");
  EXPECT_EQ(config.at("peft_type"), "TRAINABLE_TOKENS");
  EXPECT_EQ(config.at("token_indices"), Json({30, 2, 4, 17, 9, 41, 5}));
  EXPECT_EQ(config.at("target_modules"), Json({"word_embeddings"}));
  EXPECT_FALSE(config.contains("exclude_modules"));
  EXPECT_FALSE(config.contains("layers_to_transform"));
  // PEFT's own default is the whole name, as a pattern.
  config["target_modules"] = "embeddings.word_embeddings";
  write_file_atomically(folder / "adapter_config.json", config.dump());
  LoadedAdapter loaded = load_adapter(folder, model_->facts());
  EXPECT_TRUE(
      same_bits(logits({{.hooks = adapter.get()}}), logits({{.hooks = loaded.adapter.get()}})));
  config["token_indices"] = {30, 2};
  write_file_atomically(folder / "adapter_config.json", config.dump());
  EXPECT_THROW(load_adapter(folder, model_->facts()), Error);
  config["token_indices"] = Json::array();
  write_file_atomically(folder / "adapter_config.json", config.dump());
  EXPECT_THROW(load_adapter(folder, model_->facts()), Error);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace inlay
