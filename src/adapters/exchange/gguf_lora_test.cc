#include <cmath>
#include <complex>

#include "adapters/exchange/exchange_test_files.h"
#include "formats/gguf.h"
#include "formats/gguf_names.h"

namespace inlay::exchange {
namespace {

using enum FileFormat;

constexpr const char* kQuery = "model.layers.0.self_attn.q_proj";
constexpr const char* kValue = "model.layers.1.self_attn.v_proj";

BaseShape base_of(const char* model_type) {
  return {.model_type = model_type, .heads = 2, .kv_heads = 2};
}

GgufFile written(const fs::path& source, const fs::path& out, const ConvertOptions& options) {
  convert_adapter(source, kGguf, out, options);
  return GgufFile::open(out / "adapter.gguf");
}

// alpha / r B A as llama.cpp computes it, (out, in) in float64.
std::vector<double> product_in(const GgufFile& file, const std::string& tensor) {
  const Tensor a = file.tensor(tensor + ".lora_a"), b = file.tensor(tensor + ".lora_b");
  const int64_t rank = a.dim(0), in = a.dim(1), out = b.dim(0);
  EXPECT_EQ(b.dim(1), rank);
  const double scale =
      file.metadata().get<double>("adapter.lora.alpha") / static_cast<double>(rank);
  std::vector<double> product;
  for (int64_t i = 0; i < out; ++i) {
    for (int64_t j = 0; j < in; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < rank; ++k)
        sum += scale * b.data<float>()[i * rank + k] * a.data<float>()[k * in + j];
      product.push_back(sum);
    }
  }
  return product;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 double relative) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (double value : expected) largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], relative * largest) << i;
}

TEST(GgufLora, NamesAndSizesAreThoseOfLlamaCpp) {
  Workshop shop;
  TinyPeft peft;
  peft.config["base_model_name_or_path"] = "tiny/llama";
  peft.config["inlay"] = {{"base_root_hash", "abc"}};
  const GgufFile file =
      written(peft.write(shop / "in"), shop / "out", {.base = base_of("llama"), .name = "mine"});
  const GgufMetadata& metadata = file.metadata();
  EXPECT_EQ(metadata.get<std::string>("general.architecture"), "llama");
  EXPECT_EQ(metadata.get<std::string>("general.type"), "adapter");
  EXPECT_EQ(metadata.get<std::string>("general.name"), "mine");
  EXPECT_EQ(metadata.get<std::string>("general.base_model.0.name"), "tiny/llama");
  EXPECT_EQ(metadata.get<std::string>("adapter.type"), "lora");
  EXPECT_EQ(metadata.find("adapter.lora.alpha")->type(), GgufValueType::kF32);
  EXPECT_EQ(metadata.get<double>("adapter.lora.alpha"), 4);
  EXPECT_EQ(metadata.get<std::string>("inlay.record"), R"({"base_root_hash":"abc"})");
  std::vector<std::string> names;
  for (const GgufTensorInfo& info : file.tensors()) names.push_back(info.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b",
                                      "blk.0.attn_v.weight.lora_a", "blk.0.attn_v.weight.lora_b",
                                      "blk.1.attn_q.weight.lora_a", "blk.1.attn_q.weight.lora_b",
                                      "blk.1.attn_v.weight.lora_a", "blk.1.attn_v.weight.lora_b"}));
  // Outermost first: (r, in) and (out, r).
  EXPECT_EQ(file.info(names[0]).sizes, (std::vector<int64_t>{2, 8}));
  EXPECT_EQ(file.info(names[1]).sizes, (std::vector<int64_t>{8, 2}));
  EXPECT_EQ(file.info(names[0]).type->name, "F32");
}

// In the file's own bytes the innermost size comes first: (in, r).
TEST(GgufLora, WritesTheInnermostSizeFirst) {
  Workshop shop;
  written(TinyPeft{}.write(shop / "in"), shop / "out", {.base = base_of("llama")});
  const std::string bytes = read_file(shop / "out/adapter.gguf");
  const std::string name = "blk.0.attn_q.weight.lora_a";
  const std::size_t at = bytes.find(name) + name.size();
  uint64_t sizes[2];
  std::memcpy(sizes, bytes.data() + at + 4, sizeof sizes);  // behind the rank
  EXPECT_EQ(sizes[0], 8u);
  EXPECT_EQ(sizes[1], 2u);
}

TEST(GgufLora, ComputesWhatTheAdapterDoes) {
  Workshop shop;
  fs::path source = TinyPeft{}.write(shop / "in");
  auto expected = products_in(source, base_of("qwen2"));
  const GgufFile file = written(source, shop / "out", {.base = base_of("qwen2")});
  EXPECT_EQ(file.metadata().get<std::string>("general.architecture"), "qwen2");
  EXPECT_EQ(product_in(file, "blk.0.attn_q.weight"), expected.at(kQuery));
  EXPECT_EQ(product_in(file, "blk.1.attn_v.weight"), expected.at(kValue));
}

TEST(GgufLora, OfLlamaHasTheRowsOfQueryAndKeyInterleavedPerHead) {
  Workshop shop;
  fs::path source = TinyPeft{}.write(shop / "in");
  for (const char* type : {"llama", "mistral"}) {
    auto expected = products_in(source, base_of(type));
    const GgufFile file = written(source, shop / type, {.base = base_of(type)});
    EXPECT_EQ(file.metadata().get<std::string>("general.architecture"), "llama");
    EXPECT_EQ(product_in(file, "blk.1.attn_v.weight"), expected.at(kValue));
    const std::vector<double> found = product_in(file, "blk.0.attn_q.weight");
    const std::vector<double>& query = expected.at(kQuery);
    const std::vector<std::size_t> order = {0, 2, 1, 3, 4, 6, 5, 7};
    for (std::size_t i = 0; i < 8; ++i) {
      for (std::size_t j = 0; j < 8; ++j) EXPECT_EQ(found[8 * i + j], query[8 * order[i] + j]);
    }
  }
}

// What one head of four channels gives for x, turned to a position: as pairs of neighbours, which
// are complex numbers (Su et al. 2021, eq. 12), and as halves.
using Head = std::vector<double>;
Head head_of(const std::vector<double>& product, std::size_t head, const Head& x) {
  Head y(4);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 8; ++j) y[i] += product[(4 * head + i) * 8 + j] * x[j];
  }
  return y;
}
std::complex<double> turn(int position, std::size_t pair) {
  return std::polar(1.0, position / std::pow(10000.0, static_cast<double>(pair) / 2));
}
Head turned_neighbours(const Head& x, int position) {
  Head y(4);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto z = std::complex(x[2 * i], x[2 * i + 1]) * turn(position, i);
    y[2 * i] = z.real();
    y[2 * i + 1] = z.imag();
  }
  return y;
}
Head turned_halves(const Head& x, int position) {
  Head y(4);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto z = std::complex(x[i], x[i + 2]) * turn(position, i);
    y[i] = z.real();
    y[i + 2] = z.imag();
  }
  return y;
}
double dot(const Head& x, const Head& y) {
  return x[0] * y[0] + x[1] * y[1] + x[2] * y[2] + x[3] * y[3];
}

TEST(GgufLora, OfLlamaGivesTheSameAttentionScores) {
  Workshop shop;
  TinyPeft peft{.modules = {kQuery, "model.layers.0.self_attn.k_proj"}};
  peft.config["target_modules"] = {"q_proj", "k_proj"};
  fs::path source = peft.write(shop / "in");
  auto expected = products_in(source, base_of("llama"));
  const GgufFile file = written(source, shop / "out", {.base = base_of("llama")});
  const auto query = product_in(file, "blk.0.attn_q.weight"),
             key = product_in(file, "blk.0.attn_k.weight");
  const Head x = {1, -2, 0.5, 3, 0.25, -1, 2, 1}, z = {-1, 1, 2, 0.5, 1, 3, -0.5, 2};
  for (std::size_t head : {0u, 1u}) {
    for (int position : {0, 1, 5}) {
      const double found = dot(turned_neighbours(head_of(query, head, x), position),
                               turned_neighbours(head_of(key, head, z), 2)),
                   wanted = dot(turned_halves(head_of(expected.at(kQuery), head, x), position),
                                turned_halves(head_of(expected.at(peft.modules[1]), head, z), 2));
      EXPECT_NEAR(found, wanted, 1e-10 * std::max(1.0, std::fabs(wanted)));
    }
  }
}

TEST(GgufLora, OfLlamaNeedsTheHeads) {
  Workshop shop;
  fs::path source = TinyPeft{}.write(shop / "in");
  expect_error(
      [&] { convert_adapter(source, kGguf, shop / "out", {.base = {.model_type = "llama"}}); },
      {"--heads", kQuery});
  expect_error([&] { convert_adapter(source, kGguf, shop / "out", {}); },
               {"architecture", "--model-type", "llama, mistral, qwen2"});
  expect_error([&] { convert_adapter(source, kGguf, shop / "out", {.base = base_of("bert")}); },
               {"not for a base of type bert"});
  convert_adapter(source, kGguf, shop / "out", {.base = {.model_type = "qwen3"}});
}

TEST(GgufLora, FoldsRsLoraIntoAlpha) {
  Workshop shop;
  TinyPeft peft;
  peft.config["use_rslora"] = true;  // scale 4 / sqrt(2), alpha 4 sqrt(2)
  fs::path source = peft.write(shop / "in");
  Conversion done = convert_adapter(source, kGguf, shop / "out", {.base = base_of("qwen2")});
  ASSERT_EQ(done.notes.size(), 1u);
  EXPECT_NE(done.notes[0].find("keeps alpha as float32"), std::string::npos) << done.notes[0];
  const GgufFile file = GgufFile::open(shop / "out/adapter.gguf");
  EXPECT_EQ(file.metadata().get<double>("adapter.lora.alpha"),
            static_cast<float>(4 * std::sqrt(2.0)));
  expect_near(product_in(file, "blk.0.attn_q.weight"),
              products_in(source, base_of("qwen2")).at(kQuery), 0x1p-24);
}

// alpha / r of each tensor: a rank of its own needs no other alpha, and another alpha goes into B.
TEST(GgufLora, FoldsPatternsExactlyWhereItCanBe) {
  Workshop shop;
  TinyPeft peft;
  peft.config["rank_pattern"] = {{"layers.1.self_attn.v_proj", 3}};
  peft.config["alpha_pattern"] = {{"layers.0.self_attn.q_proj", 16}};
  peft.ranks[kValue] = 3;
  fs::path source = peft.write(shop / "in");
  Conversion done = convert_adapter(source, kGguf, shop / "out", {.base = base_of("qwen2")});
  EXPECT_EQ(done.notes, (std::vector<std::string>{
                            "GGUF has one alpha: model.layers.0.self_attn.q_proj (scale 8) folded "
                            "into B exactly, as 4"}));
  const GgufFile file = GgufFile::open(shop / "out/adapter.gguf");
  auto expected = products_in(source, base_of("qwen2"));
  EXPECT_EQ(product_in(file, "blk.0.attn_q.weight"), expected.at(kQuery));
  EXPECT_EQ(product_in(file, "blk.1.attn_v.weight"), expected.at(kValue));
  EXPECT_EQ(file.info("blk.1.attn_v.weight.lora_a").sizes, (std::vector<int64_t>{3, 8}));
}

TEST(GgufLora, PatternsThatWouldRoundAreRefusedUnlessAllowed) {
  Workshop shop;
  TinyPeft peft;
  peft.config["alpha_pattern"] = {{"layers.1.self_attn.v_proj", 5}};
  fs::path source = peft.write(shop / "in");
  ConvertOptions options{.base = base_of("qwen2")};
  expect_error([&] { convert_adapter(source, kGguf, shop / "out", options); },
               {"GGUF has one alpha, here 4", kValue, "--allow-rounding"});
  options.allow_rounding = true;
  expect_near(product_in(written(source, shop / "out", options), "blk.1.attn_v.weight"),
              products_in(source, options.base).at(kValue), 0x1p-22);
}

// llama.cpp takes alpha 0 for none, and would then add all of B A.
TEST(GgufLora, AnAlphaOfZeroStaysWithoutEffect) {
  Workshop shop;
  TinyPeft peft;
  peft.config["lora_alpha"] = 0;
  const GgufFile file = written(peft.write(shop / "in"), shop / "out", {.base = base_of("qwen2")});
  EXPECT_EQ(file.metadata().get<double>("adapter.lora.alpha"), 1);
  EXPECT_EQ(product_in(file, "blk.0.attn_q.weight"), std::vector<double>(64, 0.0));
}

TEST(GgufLora, HasNoPlaceForDora) {
  Workshop shop;
  expect_error(
      [&] {
        convert_adapter(golden("llama-dora/peft"), kGguf, shop / "out", {.base = tiny_llama()});
      },
      {"DoRA's magnitudes", "merge"});
  EXPECT_FALSE(fs::exists(shop / "out"));
}

TEST(GgufLora, HasNoPlaceForBiasesHeadsAndOtherModules) {
  Workshop shop;
  TinyPeft bias;
  bias.config["lora_bias"] = true;
  for (const std::string& module : bias.modules)
    bias.more["base_model.model." + module + ".lora_B.bias"] = random_tensor({8}, module);
  TinyPeft head;
  head.config["modules_to_save"] = {"lm_head"};
  head.more["base_model.model.lm_head.weight"] = random_tensor({32, 8}, "head");
  TinyPeft output{.modules = {"lm_head"}};
  output.config["target_modules"] = {"lm_head"};
  TinyPeft embedding;
  embedding.more["base_model.model.model.embed_tokens.lora_embedding_A"] =
      random_tensor({2, 32}, "embedding");
  TinyPeft fused{.modules = {"model.layers.0.self_attn.qkv_proj"}};
  fused.config["target_modules"] = {"qkv_proj"};
  const std::vector<std::pair<TinyPeft, const char*>> cases = {
      {bias, "lora_bias"},
      {head, "GGUF has no place for the trained modules beside the adapter: lm_head.weight"},
      {output, "no place for an adapter of: lm_head"},
      {embedding, "embed_tokens.lora_embedding_A"},
      {fused, "no place for an adapter of: model.layers.0.self_attn.qkv_proj"}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    fs::path source = cases[i].first.write(shop / std::to_string(i));
    expect_error([&] { convert_adapter(source, kGguf, shop / "out", {.base = base_of("llama")}); },
                 {cases[i].second});
  }
}

TEST(GgufLora, KeepsAdaptersInFloat32) {
  Workshop shop;
  TinyPeft half, wide;
  const std::string key = std::string("base_model.model.") + kQuery + ".lora_A.weight";
  half.more[key] = random_tensor({2, 8}, "half").to(DType::kBF16);
  wide.more[key] = random_tensor({2, 8}, "wide").to(DType::kF64);
  const GgufFile file =
      written(half.write(shop / "half"), shop / "out", {.base = base_of("qwen2")});
  EXPECT_EQ(file.info("blk.0.attn_q.weight.lora_a").type->name, "F32");
  EXPECT_EQ(product_in(file, "blk.0.attn_q.weight"),
            products_in(shop / "half", base_of("qwen2")).at(kQuery));
  expect_error(
      [&] {
        convert_adapter(wide.write(shop / "wide"), kGguf, shop / "out2",
                        {.base = base_of("qwen2")});
      },
      {"float64", kQuery});
}

TEST(GgufNames, FollowTheArchitecture) {
  struct Name {
    const char *model_type, *architecture, *module, *tensor;
  };
  for (const Name& name : std::vector<Name>{
           {"qwen3", "qwen3", "model.layers.11.self_attn.o_proj", "blk.11.attn_output.weight"},
           {"gemma2", "gemma2", "model.layers.3.mlp.gate_proj", "blk.3.ffn_gate.weight"},
           {"gemma3_text", "gemma3", "model.layers.3.mlp.down_proj", "blk.3.ffn_down.weight"},
           {"llama", "llama", "model.layers.0.mlp.up_proj", "blk.0.ffn_up.weight"},
           {"phi3", "phi3", "model.layers.0.self_attn.qkv_proj", "blk.0.attn_qkv.weight"},
           {"phi3", "phi3", "model.layers.0.mlp.gate_up_proj", "blk.0.ffn_up.weight"},
           {"gpt2", "gpt2", "transformer.h.5.attn.c_attn", "blk.5.attn_qkv.weight"},
           {"gpt2", "gpt2", "transformer.h.5.attn.c_proj", "blk.5.attn_output.weight"},
           {"gpt2", "gpt2", "transformer.h.5.mlp.c_proj", "blk.5.ffn_down.weight"}}) {
    EXPECT_EQ(gguf_architecture(name.model_type), name.architecture);
    EXPECT_EQ(gguf_tensor(name.model_type, name.module), name.tensor);
  }
  EXPECT_FALSE(gguf_tensor("gpt2", "model.layers.0.self_attn.q_proj").has_value());
  EXPECT_FALSE(gguf_tensor("llama", "model.embed_tokens").has_value());
  EXPECT_FALSE(gguf_tensor("gemma3_text", "model.vision.layers.0.self_attn.q_proj").has_value());
}

}  // namespace
}  // namespace inlay::exchange
