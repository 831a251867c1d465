// Golden folders as GGUF files, opened as bases.
#include "models/gguf_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "autograd/operands.h"
#include "autograd/ops/losses.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "formats/gguf.h"
#include "formats/gguf_checkpoint.h"
#include "formats/safetensors.h"
#include "models/model.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr ModelParts kDecoder{.language_model = true};

// Logits of every token.
std::vector<float> logits_of(const Model& model, const std::vector<const TokenSequence*>& texts) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  TokenBatch batch = make_token_batch(texts, {});
  Tensor logits = model.next_token_logits(context, model.encode(context, batch)).value();
  return {logits.data<float>(), logits.data<float>() + logits.count()};
}

std::vector<float> logits_of(const Model& model) {
  const std::vector<TokenSequence> texts = {{.ids = {3, 17, 90, 41, 5, 60, 12}},
                                            {.ids = {8, 2, 77, 31}}};
  return logits_of(model, {&texts[0], &texts[1]});
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected,
                 float tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  float largest = 0;
  for (float value : expected) largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], tolerance * largest) << "logit " << i;
}

class GgufModelTest : public testing::Test {
 protected:
  GgufModelTest() { fs::create_directories(place_); }
  ~GgufModelTest() override { fs::remove_all(place_); }

  // A golden folder whose configuration is changed, which golden numbers need not be for.
  fs::path folder(const std::string& golden, const Json& changes = Json::object()) {
    fs::path copy = place_ / golden;
    fs::copy(source_dir() / "tests/golden/models" / golden, copy);
    Json config = read_json(copy / "config.json");
    config.update(changes);
    write_file_atomically(copy / "config.json", config.dump());
    return copy;
  }
  fs::path written(const fs::path& from, const std::string& to, const std::string& tables = "") {
    fs::path out = place_ / (to + tables + ".gguf");
    report_ = write_gguf_model(from, out, gguf_targets(to, tables));
    return out;
  }

  using Tensors = std::vector<NamedGgufTensor>;
  // The file again, changed.
  fs::path edited(const fs::path& path,
                  const std::function<void(GgufMetadata&, Tensors&)>& change) {
    const GgufFile file = GgufFile::open(path);
    GgufMetadata metadata = file.metadata();
    Tensors tensors;
    for (const GgufTensorInfo& info : file.tensors()) {
      if (info.type->format.has_value()) {
        tensors.push_back({info.name, file.quantised(info.name)});
      } else {
        tensors.push_back({info.name, file.tensor(info.name)});
      }
    }
    change(metadata, tensors);
    fs::path out = place_ / "edited.gguf";
    write_gguf(out, metadata, tensors);
    return out;
  }
  void expect_refused(const fs::path& path, std::initializer_list<const char*> parts) {
    try {
      load_model(path, kDecoder);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      for (const char* part : parts)
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
  // Of writing a golden folder whose configuration is changed.
  std::string refusal_of(const char* golden, const Json& changes = Json::object()) {
    fs::path from = folder(golden, changes), out = place_ / "refused.gguf";
    std::string text = refusal([&] { write_gguf_model(from, out, gguf_targets("f32", "")); });
    EXPECT_EQ(fs::exists(out), text == "accepted");
    fs::remove(out);
    fs::remove_all(from);
    return text;
  }
  // Of writing a folder one of whose weights has this value.
  std::string refusal_of_value(float value, const std::string& to) {
    fs::path from = folder("llama-causal-lm");
    const Checkpoint own = Checkpoint::open(from);
    std::vector<NamedTensor> tensors;
    for (const std::string& name : own.names()) tensors.push_back({name, own.tensor(name).clone()});
    for (NamedTensor& named : tensors) {
      if (named.name == "model.layers.0.mlp.up_proj.weight")
        named.tensor.mutable_data<float>()[0] = value;
    }
    write_safetensors(from / "model.safetensors", tensors);
    std::string text = refusal([&] { written(from, to); });
    fs::remove_all(from);
    return text;
  }

  fs::path place_ = fs::path(testing::TempDir()) / fmt::format("inlay_gguf_model_{}", getpid());
  GgufReport report_;
};

struct Decoder {
  const char* golden;
  float tolerance;  // relative to the largest logit; 0: to the last bit
  const char* changes = "{}";
};

class GgufDecoders : public GgufModelTest, public testing::WithParamInterface<Decoder> {};

TEST_P(GgufDecoders, InF32GiveTheLogitsOfTheirFolder) {
  fs::path from = folder(GetParam().golden, Json::parse(GetParam().changes));
  std::vector<float> expected = logits_of(*load_model(from, kDecoder));
  auto opened = load_model(written(from, "f32"), kDecoder);
  std::vector<float> found = logits_of(*opened);
  if (GetParam().tolerance == 0) {
    EXPECT_EQ(found, expected);
  }
  expect_near(found, expected, GetParam().tolerance);
  EXPECT_EQ(report_.root_hash, opened->facts().root_hash);
}

// Factors of rotary positions are float32 in the file, and norms of Gemma lose bits to the 1 that
// is added. llama.cpp has no words for the windows and scales that the golden Gemmas have.
INSTANTIATE_TEST_SUITE_P(
    All, GgufDecoders,
    testing::Values(Decoder{"llama-causal-lm", 0}, Decoder{"llama-tied-causal-lm", 1e-5f},
                    Decoder{"mistral-causal-lm", 0, R"({"sliding_window": null})"},
                    Decoder{"qwen2-causal-lm", 0}, Decoder{"qwen3-causal-lm", 0},
                    Decoder{"gemma-causal-lm", 1e-6f},
                    Decoder{"gemma2-causal-lm", 1e-6f, R"({"query_pre_attn_scalar": 16})"},
                    Decoder{"gemma3-causal-lm", 1e-6f,
                            R"({"query_pre_attn_scalar": 16, "sliding_window_pattern": 6})"},
                    Decoder{"phi3-causal-lm", 0}, Decoder{"gpt2-causal-lm", 0}),
    [](const auto& info) {
      std::string name = info.param.golden;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

// Files that tests/golden/formats/make_gguf_models.py makes as llama.cpp's converter does, against
// what PyTorch makes of the folders they come from.
TEST(GgufModels, GiveTheLogitsOfPyTorch) {
  const fs::path goldens = source_dir() / "tests/golden";
  for (auto [file, folder] :
       {std::pair("llama.gguf", "llama-tied-causal-lm"), std::pair("gemma.gguf", "gemma-causal-lm"),
        std::pair("gpt2.gguf", "gpt2-causal-lm")}) {
    const SafetensorsFile expected =
        SafetensorsFile::open(goldens / "models" / folder / "expected.safetensors");
    const Tensor ids = expected.tensor("input_ids"), offsets = expected.tensor("offsets");
    std::vector<TokenSequence> texts(static_cast<std::size_t>(offsets.count() - 1));
    std::vector<const TokenSequence*> pointers;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const int64_t* range = offsets.data<int64_t>() + i;
      texts[i].ids.assign(ids.data<int64_t>() + range[0], ids.data<int64_t>() + range[1]);
      pointers.push_back(&texts[i]);
    }
    const Tensor logits = expected.tensor("logits").to(DType::kF32);
    SCOPED_TRACE(file);
    expect_near(logits_of(*load_model(goldens / "formats" / file, kDecoder), pointers),
                {logits.data<float>(), logits.data<float>() + logits.count()}, 1e-5f);
  }
}

// The interleaving of queries and keys, the shift of norms and the turning of weights are those of
// llama.cpp's converter.
TEST_F(GgufModelTest, TensorsAreWhatLlamaCppReads) {
  fs::path from = folder("llama-causal-lm");
  const GgufFile file = GgufFile::open(written(from, "f32"));
  const Tensor query = file.tensor("blk.1.attn_q.weight");
  const Tensor own = Checkpoint::open(from).tensor("model.layers.1.self_attn.q_proj.weight");
  const int64_t order[] = {0, 4, 1, 5, 2, 6, 3, 7};  // of a head of 8
  for (int64_t head = 0; head < 4; ++head) {
    for (int64_t row = 0; row < 8; ++row) {
      EXPECT_EQ(std::memcmp(query.rows(8 * head + row, 8 * head + row + 1).raw(),
                            own.rows(8 * head + order[row], 8 * head + order[row] + 1).raw(), 128),
                0);
    }
  }
  EXPECT_EQ(file.metadata().get<std::string>("general.architecture"), "llama");
  EXPECT_EQ(file.metadata().get<int64_t>("llama.attention.head_count_kv"), 2);
  EXPECT_EQ(file.metadata().get<double>("llama.rope.freq_base"), 10000);
  const GgufFile gemma = GgufFile::open(written(folder("gemma-causal-lm"), "f32", "f32"));
  EXPECT_EQ(
      gemma.tensor("output_norm.weight").data<float>()[3],
      Checkpoint::open(place_ / "gemma-causal-lm").tensor("model.norm.weight").data<float>()[3] +
          1);
  const GgufFile gpt2 = GgufFile::open(written(folder("gpt2-causal-lm"), "f16"));
  EXPECT_EQ(gpt2.info("blk.0.attn_qkv.weight").sizes, (std::vector<int64_t>{96, 32}));
  EXPECT_EQ(gpt2.info("blk.0.attn_qkv.weight").type->name, "F16");
  EXPECT_EQ(gpt2.info("position_embd.weight").type->name, "F32");
}

TEST_F(GgufModelTest, QuantisedGivesWhatQuantisingWhileLoadingGives) {
  fs::path from = folder("llama-causal-lm");
  for (auto [name, format] :
       {std::pair("q8_0", BlockFormat::kQ80), std::pair("q4_0", BlockFormat::kQ40)}) {
    auto expected = load_model(from, {.language_model = true, .quantise = format});
    auto opened = load_model(written(from, name, "f32"), kDecoder);
    EXPECT_EQ(logits_of(*opened), logits_of(*expected)) << name;
    for (const Site* site : opened->sites()) {
      if (site->role != SiteRole::kQuery) continue;
      ASSERT_NE(site->quantised, nullptr) << site->name;
      EXPECT_EQ(site->quantised->format(), format);
      EXPECT_FALSE(site->weight.defined());
    }
  }
}

TEST_F(GgufModelTest, TablesAndTheOutputProjectionAreQ80BesideBlocks) {
  fs::path from = folder("llama-causal-lm");
  auto opened = load_model(written(from, "q4_0"), kDecoder);
  const Checkpoint own = Checkpoint::open(from);
  const auto table =
      QuantisedMatrix::quantise(own.tensor("model.embed_tokens.weight"), BlockFormat::kQ80);
  const Tensor expected = table.dequantised(DType::kBF16);
  for (const Site* site : opened->sites()) {
    if (site->kind == SiteKind::kEmbedding) {
      ASSERT_EQ(site->weight.dtype(), DType::kBF16);
      EXPECT_EQ(std::memcmp(site->weight.raw(), expected.raw(), expected.byte_count()), 0);
    }
    if (site->role == SiteRole::kLanguageModel) {
      ASSERT_NE(site->quantised, nullptr);
      EXPECT_EQ(site->quantised->format(), BlockFormat::kQ80);
    }
  }
  for (const GgufKindReport& kind : report_.kinds) {
    if (kind.kind == "token_embd") {
      EXPECT_DOUBLE_EQ(kind.error, relative_error(own.tensor("model.embed_tokens.weight"), table));
    }
    if (kind.kind == "attn_q") {
      EXPECT_EQ(kind.tensors, 2u);
      EXPECT_EQ(kind.bytes_before, 2 * 32 * 32 * 4u);
      EXPECT_EQ(kind.bytes_after, 2 * 32 * 18u);
    }
    // Rows of 48 are no whole blocks.
    if (kind.kind == "ffn_down") {
      EXPECT_EQ(kind.type, "F32");
    }
  }
}

TEST_F(GgufModelTest, LossNeedsNoLogitsOverAQuantisedProjection) {
  auto opened = load_model(written(folder("llama-causal-lm"), "q8_0"), kDecoder);
  const TokenSequence text{.ids = {3, 17, 90, 41}};
  Context context(DType::kF32);
  context.tape.set_recording(false);
  TokenBatch batch = make_token_batch(std::vector{&text}, {});
  Variable hidden = opened->encode(context, batch);
  Tensor logits = opened->next_token_logits(context, hidden).value();
  const std::vector<int32_t> targets{17, 90, 41, kIgnoredLabel};
  Tensor loss = opened->next_token_loss(context, hidden, targets, 1).value();
  for (int64_t row = 0; row < 3; ++row) {
    double sum = 0;
    const float* own = logits.data<float>() + row * 96;
    for (int64_t i = 0; i < 96; ++i) sum += std::exp(static_cast<double>(own[i]));
    EXPECT_NEAR(loss.data<float>()[row],
                std::log(sum) - own[targets[static_cast<std::size_t>(row)]], 1e-5);
  }
}

// python: sha256 of the JSON of each tensor's sha256 of "F32 [..]\n" and its bytes.
TEST_F(GgufModelTest, TheRootHashIsOverAllTensorsAsStored) {
  fs::path path = written(folder("llama-tied-causal-lm"), "f32");
  const GgufFile file = GgufFile::open(path);
  Json hashes = Json::object();
  for (const GgufTensorInfo& info : file.tensors()) {
    Sha256 hash;
    hash.update(fmt::format("{} {}\n", info.type->name, canonical_json(Json(info.sizes))));
    hash.update(file.raw_bytes(info.name));
    hashes[info.name] = hex(hash.finish());
  }
  EXPECT_TRUE(hashes.contains("rope_freqs.weight"));
  EXPECT_EQ(report_.root_hash, hex(sha256(canonical_json(hashes))));
}

TEST_F(GgufModelTest, OtherShapesThanTheMetadataSayAreNamed) {
  fs::path path = written(folder("llama-causal-lm"), "q8_0");
  auto set = [&](const char* key, uint32_t value) {
    return edited(
        path, [&](GgufMetadata& metadata, Tensors&) { metadata.set(key, GgufValue::of(value)); });
  };
  expect_refused(
      set("llama.feed_forward_length", 64),
      {"blk.0.ffn_gate.weight", "found shape (48, 32)", "expected (64, 32)", "metadata"});
  expect_refused(set("llama.block_count", 3), {"layers.2.self_attn.q_proj.weight"});
  expect_refused(set("llama.block_count", 1), {"model.layers.1.self_attn.q_proj.weight"});
  expect_refused(set("llama.block_count", 0), {"num_hidden_layers", "is 0"});
  expect_refused(set("llama.attention.head_count", 0), {"head_count", "is 0; expected 1 or more"});
  expect_refused(set("llama.attention.head_count", 6), {"has 32 rows; expected 6 heads"});
}

TEST_F(GgufModelTest, WhatNoFamilyComputesIsRefusedByName) {
  fs::path path = written(folder("llama-causal-lm"), "f32");
  auto set = [&](const char* key, GgufValue value) {
    return edited(path, [&](GgufMetadata& metadata, Tensors&) { metadata.set(key, value); });
  };
  expect_refused(set("general.architecture", GgufValue::of(std::string("mamba"))),
                 {"\"mamba\" is not supported", "llama, qwen2, qwen3, gemma"});
  expect_refused(set("general.type", GgufValue::of(std::string("adapter"))), {"\"adapter\""});
  expect_refused(set("split.count", GgufValue::of(uint16_t{3})), {"llama-gguf-split"});
  expect_refused(set("llama.expert_count", GgufValue::of(uint32_t{8})), {"expert_count"});
  expect_refused(set("llama.attention.sliding_window", GgufValue::of(uint32_t{4})),
                 {"sliding_window"});
  expect_refused(set("llama.rope.dimension_count", GgufValue::of(uint32_t{4})),
                 {"rope.dimension_count"});
  expect_refused(set("llama.rope.scaling.type", GgufValue::of(std::string("spiral"))),
                 {"rope.scaling.type", "none, linear or yarn"});
  expect_refused(set("llama.rope.freq_base", GgufValue::of(std::nanf(""))),
                 {"rope.freq_base", "expected a finite number"});
  expect_refused(set("llama.context_length", GgufValue::of(std::string("long"))),
                 {"llama.context_length", "is a string; expected an integer"});
  expect_refused(
      edited(path,
             [](GgufMetadata&, Tensors& tensors) {
               tensors.push_back({"blk.0.attn_sinks.weight", Tensor::zeros({4}, DType::kF32)});
             }),
      {"does not know: blk.0.attn_sinks.weight"});
}

TEST_F(GgufModelTest, WhatLlamaCppHasNoWordsForIsNotWritten) {
  EXPECT_NE(refusal_of("mistral-causal-lm").find("cannot say windows"), std::string::npos);
  EXPECT_NE(refusal_of("gemma3-causal-lm").find("cannot say the scale of attention"),
            std::string::npos);
  EXPECT_NE(
      refusal_of("llama-causal-lm", {{"hidden_act", "relu"}}).find("cannot say the activation"),
      std::string::npos);
  EXPECT_NE(refusal_of("bert-single-label").find("is no decoder"), std::string::npos);
}

// llama.cpp reads the window of Phi-3 and has every layer see the whole text.
TEST_F(GgufModelTest, AWindowOfPhi3IsWrittenWhereEveryTextFitsIntoIt) {
  EXPECT_NE(refusal_of("phi3-causal-lm", {{"sliding_window", 63}}).find("cannot say windows"),
            std::string::npos);
  EXPECT_EQ(refusal_of("phi3-causal-lm", {{"sliding_window", 64}}), "accepted");
}

TEST_F(GgufModelTest, FactorsOfRotaryPositionsAreWrittenWhereLlamaCppReadsThem) {
  const Json llama3 = Json::parse(R"({"rope_scaling": {"rope_type": "llama3", "factor": 8,
    "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 32}})");
  const Json longrope = Json::parse(R"({"original_max_position_embeddings": 32,
    "rope_scaling": {"rope_type": "longrope", "short_factor": [1, 1, 2, 2],
                     "long_factor": [2, 4, 8, 16]}})");
  EXPECT_NE(refusal_of("qwen2-causal-lm", llama3)
                .find("\"qwen2\" cannot say the llama3 rotary positions of this base"),
            std::string::npos);
  EXPECT_NE(refusal_of("llama-causal-lm", longrope)
                .find("\"llama\" cannot say the longrope rotary positions of this base"),
            std::string::npos);
  EXPECT_EQ(refusal_of("phi3-causal-lm", longrope), "accepted");
}

// llama.cpp rounds the channels that bound the ramp.
TEST_F(GgufModelTest, YarnWithoutTruncationIsNotWritten) {
  Json yarn = Json::parse(R"({"rope_scaling": {"rope_type": "yarn", "factor": 4,
    "original_max_position_embeddings": 2048}})");
  EXPECT_EQ(refusal_of("llama-causal-lm", yarn), "accepted");
  yarn["rope_scaling"]["truncate"] = false;
  EXPECT_NE(refusal_of("llama-causal-lm", yarn).find("cannot say rotary positions"),
            std::string::npos);
}

TEST_F(GgufModelTest, QuantisingTwiceIsRefused) {
  fs::path path = written(folder("llama-causal-lm"), "q8_0");
  EXPECT_NE(refusal([&] {
              load_model(path, {.language_model = true, .quantise = BlockFormat::kNf4});
            }).find("held as Q8_0 by the file already"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              write_gguf_model(path, place_ / "again.gguf", gguf_targets("q4_0", ""));
            }).find("expected a Hugging Face model folder"),
            std::string::npos);
  EXPECT_NE(refusal([] { gguf_targets("nf4", ""); }).find("train --quantise nf4"),
            std::string::npos);
}

TEST_F(GgufModelTest, ValuesThatATypeCannotHoldAreNamed) {
  EXPECT_NE(refusal_of_value(1e6f, "f16").find("blk.0.ffn_up.weight has values that F16"),
            std::string::npos);
  for (const char* to : {"f16", "bf16", "f32"}) {
    for (float value : {std::nanf(""), -INFINITY}) {
      EXPECT_NE(refusal_of_value(value, to).find("blk.0.ffn_up.weight holds a NaN or an infinity"),
                std::string::npos)
          << to;
    }
  }
}

}  // namespace
}  // namespace inlay
