// The traps of adapter conversion (numbers 4, 6, 17 and 19 of the list that the project keeps), and
// files that lie.
#include "adapters/exchange/adapterhub_places.h"
#include "adapters/exchange/exchange_test_files.h"
#include "formats/rotary_rows.h"

namespace inlay::exchange {
namespace {

using enum FileFormat;

constexpr const char* kQuery0 = "model.layers.0.self_attn.q_proj";

BaseShape two_heads() { return {.model_type = "llama", .heads = 2, .kv_heads = 2}; }

void expect_same_products(const fs::path& found, const fs::path& expected) {
  EXPECT_EQ(products_in(found, two_heads()), products_in(expected, two_heads()));
}

TEST(Trap4, RsLoraKeepsItsScaleEverywhere) {
  Workshop shop;
  TinyPeft peft;
  peft.config["use_rslora"] = true;  // 4 / sqrt(2), which no short alpha / 2 is
  peft.write(shop / "in");
  for (FileFormat through : {kMlx, kTorchtune, kAdapterHub}) {
    fs::path out = shop / file_format_name(through);
    Conversion done = convert_adapter(shop / "in", through, out, {.base = two_heads()});
    EXPECT_DOUBLE_EQ(*done.scale, 4 / std::sqrt(2.0));
    expect_same_products(out, shop / "in");
    fs::path back = shop / (std::string(file_format_name(through)) + "-back");
    convert_adapter(out, kPeft, back, {.base = two_heads()});
    EXPECT_EQ(config_in(back).at("use_rslora"), true);
    EXPECT_EQ(config_in(back).at("lora_alpha"), 4);
  }
}

TEST(Trap4, AlphaPatternIsFoldedExactlyWhereItCanBe) {
  Workshop shop;
  TinyPeft peft;
  peft.config["alpha_pattern"] = {{"layers.1.self_attn.v_proj", 16}};  // 8 instead of 2
  peft.write(shop / "in");
  for (FileFormat to : {kMlx, kTorchtune, kAdapterHub}) {
    fs::path out = shop / file_format_name(to);
    Conversion done = convert_adapter(shop / "in", to, out, {.base = two_heads()});
    ASSERT_EQ(done.notes.size(), 1u);
    EXPECT_NE(done.notes[0].find("model.layers.1.self_attn.v_proj (scale 8) folded into B exactly"),
              std::string::npos)
        << done.notes[0];
    expect_same_products(out, shop / "in");
  }
}

TEST(Trap4, AlphaPatternThatWouldRoundIsRefusedUnlessAllowed) {
  Workshop shop;
  TinyPeft peft;
  peft.config["alpha_pattern"] = {{"layers.1.self_attn.v_proj", 5.0}};
  peft.write(shop / "in");
  expect_error([&] { convert_adapter(shop / "in", kMlx, shop / "out", {}); },
               {"model.layers.1.self_attn.v_proj (scale 2.5)", "--allow-rounding"});
  Conversion done = convert_adapter(shop / "in", kMlx, shop / "out", {.allow_rounding = true});
  ASSERT_EQ(done.notes.size(), 1u);
  EXPECT_NE(done.notes[0].find("rounded, relative error up to"), std::string::npos);
  auto found = products_in(shop / "out", two_heads()),
       expected = products_in(shop / "in", two_heads());
  for (const auto& [name, product] : expected) {
    for (std::size_t i = 0; i < product.size(); ++i)
      EXPECT_NEAR(found.at(name)[i], product[i], 2.5 * 40 * 0x1p-24) << name;
  }
}

TEST(Trap4, RankPatternIsPaddedWithoutEffect) {
  Workshop shop;
  TinyPeft peft;
  peft.config["rank_pattern"] = {{"layers.1.self_attn.v_proj", 3}};
  peft.config["alpha_pattern"] = {{"layers.1.self_attn.v_proj", 6}};
  peft.ranks["model.layers.1.self_attn.v_proj"] = 3;
  peft.write(shop / "in");
  for (FileFormat to : {kMlx, kTorchtune, kAdapterHub}) {
    fs::path out = shop / file_format_name(to);
    Conversion done = convert_adapter(shop / "in", to, out, {.base = two_heads()});
    EXPECT_EQ(done.rank, 3);
    EXPECT_NE(done.notes.at(0).find("padded with zeros to rank 3"), std::string::npos);
    expect_same_products(out, shop / "in");
  }
}

TEST(Trap4, PatternsStayInPeft) {
  Workshop shop;
  TinyPeft peft;
  peft.config["rank_pattern"] = {{"layers.1.self_attn.v_proj", 3}};
  peft.ranks["model.layers.1.self_attn.v_proj"] = 3;
  peft.config["future_setting"] = nullptr;
  peft.write(shop / "in");
  convert_adapter(shop / "in", kPeft, shop / "out", {});
  expect_same_tensors(tensors_in(shop / "out"), peft.tensors());
  EXPECT_EQ(config_in(shop / "out").at("rank_pattern"), peft.config["rank_pattern"]);
}

TEST(Trap4, LoraBiasIsRefusedByName) {
  Workshop shop;
  TinyPeft peft;
  peft.config["lora_bias"] = true;
  for (const std::string& module : peft.modules)
    peft.more["base_model.model." + module + ".lora_B.bias"] = random_tensor({8}, module);
  peft.write(shop / "in");
  for (FileFormat to : {kMlx, kTorchtune, kAdapterHub}) {
    expect_error([&] { convert_adapter(shop / "in", to, shop / "out", {.base = two_heads()}); },
                 {"lora_bias", kQuery0, "merge"});
  }
  convert_adapter(shop / "in", kPeft, shop / "peft", {});
  expect_same_tensors(tensors_in(shop / "peft"), peft.tensors());
}

TEST(Trap4, HeadsAreRefusedOrLeftOutWhenAsked) {
  Workshop shop;
  TinyPeft peft;
  peft.config["task_type"] = "SEQ_CLS";
  peft.config["modules_to_save"] = {"score"};
  peft.more["base_model.model.score.weight"] = random_tensor({3, 8}, "score");
  peft.write(shop / "in");
  for (FileFormat to : {kMlx, kTorchtune, kAdapterHub}) {
    fs::path out = shop / file_format_name(to);
    expect_error([&] { convert_adapter(shop / "in", to, out, {.base = two_heads()}); },
                 {"score.weight", "--without-head"});
    Conversion done =
        convert_adapter(shop / "in", to, out, {.base = two_heads(), .without_head = true});
    EXPECT_NE(done.notes.at(0).find("score.weight"), std::string::npos);
    expect_same_products(out, shop / "in");
  }
  TinyPeft own;
  own.write(shop / "own");
  write_safetensors(shop / "own/head.safetensors",
                    std::vector<NamedTensor>{{"classifier.weight", random_tensor({3, 8}, "h")}});
  write_file_atomically(shop / "own/head.json", "{}");
  for (FileFormat to : {kMlx, kPeft, kAdapterHub}) {
    expect_error([&] { convert_adapter(shop / "own", to, shop / "out", {.base = two_heads()}); },
                 {"classifier.weight (of head.json)", "--without-head"});
  }
}

TEST(Trap4, DoraGoesToAdapterHubOnlyWithoutBiases) {
  Workshop shop;
  fs::path source = golden("llama-qv-dora/peft");
  expect_error(
      [&] {
        convert_adapter(source, kAdapterHub, shop / "out", {.base = {.model_type = "llama"}});
      },
      {"bias", "--model"});
  BaseShape biased = tiny_llama();
  biased.biases = true;
  expect_error([&] { convert_adapter(source, kAdapterHub, shop / "out", {.base = biased}); },
               {"this base has biases"});
}

TEST(Trap4, InitsThatChangeTheBaseAreRefused) {
  Workshop shop;
  for (const char* start : {"pissa", "pissa_niter_4", "olora", "corda", "lora_ga", "loftq"}) {
    TinyPeft peft;
    peft.config["init_lora_weights"] = start;
    expect_error([&] { convert_adapter(peft.write(shop / "in"), kMlx, shop / "out", {}); },
                 {start, "path_initial_model_for_weight_conversion"});
  }
}

TEST(Trap4, SettingsThatChangeTheMathematicsAreRefusedByName) {
  Workshop shop;
  const std::vector<std::pair<const char*, Json>> settings = {{"bias", "all"},
                                                              {"use_qalora", true},
                                                              {"alora_invocation_tokens", {1, 2}},
                                                              {"layer_replication", {1}},
                                                              {"of_tomorrow", 3},
                                                              {"target_parameters", {"experts"}}};
  for (const auto& [key, value] : settings) {
    TinyPeft peft;
    peft.config[key] = value;
    expect_error([&] { convert_adapter(peft.write(shop / "in"), kMlx, shop / "out", {}); }, {key});
  }
}

TEST(Trap6, EveryTensorIsUsedAndNoneMissing) {
  Workshop shop;
  TinyPeft extra;
  extra.more["base_model.model.model.embed_tokens.lora_embedding_A"] = random_tensor({2, 9}, "e");
  extra.more["base_model.model.model.norm.weight"] = random_tensor({8}, "n");
  expect_error([&] { convert_adapter(extra.write(shop / "in"), kMlx, shop / "out", {}); },
               {"embed_tokens.lora_embedding_A", "norm.weight"});
  TinyPeft peft;
  peft.write(shop / "in");
  std::vector<NamedTensor> some;
  for (const auto& [name, tensor] : peft.tensors()) {
    if (!name.ends_with("1.self_attn.v_proj.lora_B.weight")) some.push_back({name, tensor});
  }
  write_safetensors(shop / "in/adapter_model.safetensors", some);
  expect_error([&] { convert_adapter(shop / "in", kMlx, shop / "out", {}); },
               {"model.layers.1.self_attn.v_proj.lora_B.weight is missing"});
}

TEST(Trap6, AMissingModuleIsNamed) {
  Workshop shop;
  TinyPeft peft;
  peft.modules.pop_back();
  expect_error([&] { convert_adapter(peft.write(shop / "in"), kMlx, shop / "out", {}); },
               {"model.layers.1.self_attn.v_proj"});
  TinyPeft gap;
  gap.modules = {kQuery0, "model.layers.1.self_attn.q_proj", "model.layers.3.self_attn.q_proj"};
  gap.config["target_modules"] = {"q_proj"};
  expect_error([&] { convert_adapter(gap.write(shop / "in"), kMlx, shop / "out", {}); },
               {"model.layers.2.self_attn.q_proj"});
  gap.config["layers_to_transform"] = {0, 1, 3};
  convert_adapter(gap.write(shop / "in"), kPeft, shop / "named", {});
  TinyPeft unmet;
  unmet.config["target_modules"] = {"q_proj", "v_proj", "o_proj"};
  expect_error([&] { convert_adapter(unmet.write(shop / "in"), kMlx, shop / "out", {}); },
               {"target_modules", "o_proj"});
}

TEST(Trap6, AnotherBaseIsNoticedByItsLayers) {
  Workshop shop;
  BaseShape base = two_heads();
  base.layers = 1;
  base.model_name = "small";
  expect_error(
      [&] { convert_adapter(TinyPeft{}.write(shop / "in"), kMlx, shop / "out", {.base = base}); },
      {"layer 1", "small has 1 layers"});
}

TEST(Trap6, WrongShapesAreNamed) {
  Workshop shop;
  const std::string b = std::string("base_model.model.") + kQuery0 + ".lora_B.weight";
  for (const Shape& shape : {Shape{8, 3}, Shape{16}, Shape{8, 2, 1, 1}, Shape{0, 2}}) {
    TinyPeft peft;
    peft.more[b] = random_tensor(shape, "wrong");
    expect_error([&] { convert_adapter(peft.write(shop / "in"), kMlx, shop / "out", {}); },
                 {kQuery0, shape.text()});
  }
  TinyPeft whole;
  whole.more[b] = Tensor::zeros({8, 2}, DType::kI64);
  expect_error([&] { convert_adapter(whole.write(shop / "in"), kMlx, shop / "out", {}); },
               {kQuery0, "I64"});
  TinyPeft rank;
  rank.ranks[kQuery0] = 3;
  expect_error([&] { convert_adapter(rank.write(shop / "in"), kMlx, shop / "out", {}); },
               {kQuery0, "rank 3", "gives 2"});
}

TEST(Trap6, LyingMlxAndTorchtuneConfigurationsAreRefused) {
  Workshop shop;
  auto changed = [&](const std::string& library, const Json& patch) {
    fs::remove_all(shop / "in");
    fs::copy(golden("llama-lora") / library, shop / "in");
    Json config = config_in(shop / "in");
    config.merge_patch(patch);
    write_config(shop / "in", config);
    return [&] { convert_adapter(shop / "in", kPeft, shop / "out", {.base = tiny_llama()}); };
  };
  expect_error(changed("mlx", {{"lora_parameters", {{"rank", 5}}}}), {"\"rank\" is 5", "rank 4"});
  expect_error(changed("mlx", {{"lora_parameters", {{"keys", {"self_attn.q_proj", "x"}}}}}),
               {"x has no tensors", "mlp.up_proj is not in \"keys\""});
  expect_error(changed("mlx", {{"fine_tune_type", "full"}}), {"full"});
  expect_error(changed("mlx", {{"fine_tune_type", "dora"}}), {"self_attn.q_proj.m is missing"});
  expect_error(changed("mlx", {{"lora_parameters", {{"scale", "20"}}}}), {"scale"});
  expect_error(changed("mlx", {{"lora_parameters", {{"alpha", 16}}}}), {"\"alpha\" is 16"});
  expect_error(changed("mlx", {{"fine_tune_type", nullptr}, {"use_dora", true}}),
               {"self_attn.q_proj.m is missing"});
  expect_error(changed("torchtune", {{"use_dora", true}}), {"use_dora", "no magnitudes"});
  expect_error(changed("torchtune", {{"r", 3}}), {"\"r\" is 3"});
  expect_error(changed("torchtune", {{"r", 0}}), {"\"r\" is 0"});
  expect_error(changed("torchtune", {{"target_modules", {"q_proj"}}}), {"target_modules"});
  expect_error(changed("torchtune", {{"quantize_base", true}}), {"quantize_base"});
}

TEST(Trap17, AdapterHubLoraBefore110HasAlphaR) {
  Workshop shop;
  const std::map<std::string, double> scales = {{"adapters.0.2.2", 1},      {"adapters.1.0.1", 1},
                                                {"adapters.1.1.0.dev0", 1}, {"adapters.1.1.0", 8},
                                                {"adapters.1.1.1", 8},      {"adapters.2.0.0", 8}};
  for (const auto& [version, scale] : scales) {
    fs::remove_all(shop / "in");
    fs::copy(golden("llama-qkv-down/adapterhub"), shop / "in");
    Json config = config_in(shop / "in");
    config["version"] = version;
    write_config(shop / "in", config);
    Conversion done = convert_adapter(shop / "in", kPeft, shop / version, {});
    EXPECT_EQ(done.scale, scale) << version;
    EXPECT_EQ(config_in(shop / version).at("lora_alpha"), scale * 4) << version;
    EXPECT_EQ(done.notes.size(), scale == 1 ? 1u : 0u) << version;
  }
}

TEST(Trap19, TorchtunePermutationMovesRowsAndMagnitudesAlike) {
  Tensor rows = Tensor::empty({12, 2}, DType::kF32);
  for (int64_t i = 0; i < 24; ++i) rows.mutable_data<float>()[i] = static_cast<float>(i >> 1);
  Tensor moved = interleave_rows(rows, 2);
  std::vector<float> order;
  order.reserve(12);
  for (int i = 0; i < 12; ++i) order.push_back(moved.data<float>()[2 * i]);
  EXPECT_EQ(order, (std::vector<float>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
  Tensor back = uninterleave_rows(moved, 2);
  EXPECT_EQ(std::memcmp(back.raw(), rows.raw(), rows.byte_count()), 0);
}

// Convert.GivesWhatEachLibraryWrites has them against the golden files; here that the heads matter.
TEST(Trap19, TorchtunePermutationNeedsTheHeads) {
  Workshop shop;
  fs::path source = golden("llama-dora/peft");
  expect_error([&] { convert_adapter(source, kTorchtune, shop / "out", {}); },
               {"--heads", "k_proj"});
  expect_error(
      [&] {
        convert_adapter(source, kTorchtune, shop / "out", {.base = {.heads = 3, .kv_heads = 3}});
      },
      {"not 3 heads"});
  expect_error(
      [&] {
        convert_adapter(source, kTorchtune, shop / "out",
                        {.base = {.model_type = "phi3", .heads = 2, .kv_heads = 1}});
      },
      {"phi3"});
  convert_adapter(source, kTorchtune, shop / "out", {.base = {.heads = 2, .kv_heads = 1}});
  expect_same_tensors(tensors_in(shop / "out"), tensors_in(golden("llama-dora/torchtune")));
}

TEST(Trap19, MlxScaleIsAlphaOverRank) {
  Workshop shop;
  fs::copy(golden("llama-lora/mlx"), shop / "in");
  Json config = config_in(shop / "in");
  config["lora_parameters"]["scale"] = 20.0;
  write_config(shop / "in", config);
  convert_adapter(shop / "in", kPeft, shop / "out", {});
  EXPECT_EQ(config_in(shop / "out").at("lora_alpha"), 80);
  EXPECT_EQ(config_in(shop / "out").at("r"), 4);
}

TEST(AdapterHubLora, RefusesWhatMeansSomethingElseElsewhere) {
  Workshop shop;
  auto changed = [&](const Json& patch) {
    fs::remove_all(shop / "in");
    fs::copy(golden("llama-qkv-down/adapterhub"), shop / "in");
    Json config = config_in(shop / "in");
    config.merge_patch(patch);
    write_config(shop / "in", config);
    return [&] { convert_adapter(shop / "in", kPeft, shop / "out", {}); };
  };
  expect_error(changed({{"config", {{"composition_mode", "scale"}}}}), {"composition_mode"});
  expect_error(changed({{"config", {{"use_gating", true}}}}), {"use_gating"});
  expect_error(changed({{"config", {{"vera_d", 0.1}}}}), {"vera_d"});
  expect_error(changed({{"config", {{"architecture", "reft"}}}}), {"architecture", "reft"});
  expect_error(changed({{"config", {{"output_lora", true}}}}), {"no tensors"});
  expect_error(changed({{"config", {{"attn_matrices", {"q"}}}}}), {"self_attn.v_proj"});
  expect_error(changed({{"config", {{"leave_out", {1}}}}}), {"layers.1"});
  expect_error(changed({{"config", {{"use_dora", true}}}}), {".m.weight is missing"});
  expect_error(changed({{"name", "other"}}), {"loras.tiny.lora_A"});
  expect_error(changed({{"version", "3.2.1"}}), {"3.2.1"});
}

TEST(AdapterHubLora, RefusesFusedQueryKeyValue) {
  Workshop shop;
  fs::create_directories(shop / "in");
  Json config = config_in(golden("llama-qkv-down/adapterhub"));
  config["model_type"] = "gpt2";
  write_config(shop / "in", config);
  write_torch(shop / "in/pytorch_adapter.bin",
              std::vector<NamedTensor>{
                  {"transformer.h.0.attn.c_attn.loras.tiny.lora_A", random_tensor({8, 8}, "a")},
                  {"transformer.h.0.attn.c_attn.loras.tiny.lora_B", random_tensor({16, 4}, "b")}});
  expect_error([&] { convert_adapter(shop / "in", kPeft, shop / "out", {}); },
               {"one matrix", "transformer.h.0.attn.c_attn"});
}

TEST(AdapterHubLora, HasNoPlaceForOtherLayers) {
  Workshop shop;
  expect_error(
      [&] {
        convert_adapter(golden("llama-lora/peft"), kAdapterHub, shop / "out",
                        {.base = tiny_llama()});
      },
      {"self_attn.o_proj", "mlp.gate_proj"});
}

TEST(AdapterHubLora, SwapsTheFeedForwardNamesOfLlama) {
  EXPECT_EQ(adapterhub_place("llama", "mlp.down_proj"), AdapterHubPlace::kIntermediate);
  EXPECT_EQ(adapterhub_place("llama", "mlp.up_proj"), AdapterHubPlace::kOutput);
  EXPECT_EQ(adapterhub_place("bert", "intermediate.dense"), AdapterHubPlace::kIntermediate);
  EXPECT_EQ(adapterhub_place("bert", "attention.output.dense"), std::nullopt);
}

}  // namespace
}  // namespace inlay::exchange
