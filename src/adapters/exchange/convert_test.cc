#include "adapters/exchange/convert.h"

#include "adapters/exchange/exchange_test_files.h"

namespace inlay::exchange {
namespace {

using enum FileFormat;

// tests/golden/exchange/make_lora_files.py wrote each case in all of its formats.
struct Case {
  const char* name;
  std::vector<FileFormat> formats;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"llama-lora", {kPeft, kMlx, kTorchtune}},
      {"llama-dora", {kPeft, kMlx, kTorchtune}},
      {"llama-qkv-down", {kPeft, kMlx, kTorchtune, kAdapterHub}},
      {"llama-qv-dora", {kPeft, kAdapterHub}},
      {"bert", {kPeft, kAdapterHub}},
  };
  return all;
}

ConvertOptions options_for(const Case& test) {
  if (std::string(test.name) == "bert") return {.base = {.model_type = "bert"}, .name = "tiny"};
  return {.base = tiny_llama(), .name = "tiny"};
}

TEST(Convert, GivesWhatEachLibraryWrites) {
  Workshop shop;
  for (const Case& test : cases()) {
    for (FileFormat from : test.formats) {
      for (FileFormat to : test.formats) {
        std::string name =
            fmt::format("{} {} to {}", test.name, file_format_name(from), file_format_name(to));
        SCOPED_TRACE(name);
        fs::path source = golden(test.name) / file_format_name(from);
        EXPECT_EQ(detect_format(source), from);
        Conversion done = convert_adapter(source, to, shop / name, options_for(test));
        EXPECT_EQ(done.from, from);
        expect_same_tensors(tensors_in(shop / name),
                            tensors_in(golden(test.name) / file_format_name(to)));
        EXPECT_EQ(products_in(shop / name, options_for(test).base),
                  products_in(golden(test.name) / "peft", options_for(test).base));
      }
    }
  }
}

// Configurations hold what decides the meaning of the tensors.
TEST(Convert, GivesTheSettingsThatEachLibraryReads) {
  Workshop shop;
  for (const Case& test : cases()) {
    for (FileFormat to : test.formats) {
      for (FileFormat from : test.formats) {
        if (from == to) continue;
        SCOPED_TRACE(
            fmt::format("{} {} to {}", test.name, file_format_name(from), file_format_name(to)));
        fs::path out =
            shop / fmt::format("{}{}{}", test.name, file_format_name(from), file_format_name(to));
        convert_adapter(golden(test.name) / file_format_name(from), to, out, options_for(test));
        Json found = config_in(out), expected = config_in(golden(test.name) / file_format_name(to));
        if (to == kMlx) {
          EXPECT_EQ(found.at("lora_parameters"), expected.at("lora_parameters"));
          EXPECT_EQ(found.at("fine_tune_type"), expected.at("fine_tune_type"));
        } else if (to == kAdapterHub) {
          expected.at("config")["init_weights_seed"] = nullptr;
          EXPECT_EQ(found, expected);
        } else if (to == kTorchtune) {
          EXPECT_EQ(found.at("lora_alpha"), expected.at("lora_alpha"));
          EXPECT_EQ(found.at("r"), expected.at("r"));
          EXPECT_EQ(found.at("use_dora"), expected.at("use_dora"));
        } else {
          for (const char* key : {"peft_type", "r", "task_type", "target_modules", "use_dora",
                                  "bias", "layers_to_transform", "base_model_name_or_path"}) {
            EXPECT_EQ(found.at(key), expected.at(key)) << key;
          }
        }
      }
    }
  }
}

TEST(Convert, WritesAdapterHubsFilesAlikeInBothForms) {
  Workshop shop;
  convert_adapter(golden("bert/peft"), kAdapterHub, shop / "out", {.base = {.model_type = "bert"}});
  TensorPile safe = TensorPile::open(shop / "out/adapter.safetensors"),
             torch = TensorPile::open(shop / "out/pytorch_adapter.bin");
  std::map<std::string, Tensor> one, other;
  for (const std::string& name : safe.names()) one[name] = safe.take(name);
  for (const std::string& name : torch.names()) other[name] = torch.take(name);
  EXPECT_EQ(one.size(), 8u);
  expect_same_tensors(other, one);
}

TEST(Convert, TakesTheFamilyFromTheNamesWhereTheyTellIt) {
  Workshop shop;
  TinyPeft peft{.modules = {"bert.encoder.layer.0.attention.self.query"}};
  peft.config["target_modules"] = {"query"};
  peft.config["task_type"] = "SEQ_CLS";
  convert_adapter(peft.write(shop / "in"), kAdapterHub, shop / "out", {});
  EXPECT_EQ(config_in(shop / "out").at("model_class"), "BertAdapterModel");
  expect_error([&] { convert_adapter(golden("bert/peft"), kAdapterHub, shop / "bare", {}); },
               {"--model-type"});
}

// The head of each family whose form AdapterHub has, there and back.
TEST(Convert, CarriesHeadsToAdapterHubAndBack) {
  struct HeadCase {
    const char* model_type;
    const char* prefix;
    const char* task;
    std::vector<const char*> layers;
    std::vector<const char*> adapterhub;
  };
  const std::vector<HeadCase> heads = {
      {"bert", "bert", "SEQ_CLS", {"classifier"}, {"1"}},
      {"roberta", "roberta", "SEQ_CLS", {"classifier.dense", "classifier.out_proj"}, {"1", "4"}},
      {"distilbert", "distilbert", "SEQ_CLS", {"pre_classifier", "classifier"}, {"1", "4"}},
      {"bert", "bert", "TOKEN_CLS", {"classifier"}, {"1"}},
  };
  Workshop shop;
  for (const HeadCase& head : heads) {
    std::string name = fmt::format("{}-{}", head.model_type, head.task);
    SCOPED_TRACE(name);
    bool distil = std::string(head.model_type) == "distilbert";
    std::string query = distil ? "attention.q_lin" : "attention.self.query";
    std::string layer = distil ? "transformer.layer.0." : "encoder.layer.0.";
    TinyPeft peft{.modules = {fmt::format("{}.{}{}", head.prefix, layer, query)}};
    peft.config["target_modules"] = {query};
    peft.config["task_type"] = head.task;
    peft.config["modules_to_save"] = {"pre_classifier", "classifier", "score"};
    peft.config["inlay"] = {{"classes", {"no", "yes", "maybe"}},
                            {"problem_type", "single_label_classification"}};
    for (const char* part : head.layers) {
      int64_t outputs = part == head.layers.back() ? 3 : 8;
      std::string stem = std::string("base_model.model.") + part;
      peft.more[stem + ".weight"] = random_tensor({outputs, 8}, name);
      peft.more[stem + ".bias"] = random_tensor({outputs}, name);
    }
    ConvertOptions options{.base = {.model_type = head.model_type}, .name = "h"};
    peft.write(shop / name);
    convert_adapter(shop / name, kAdapterHub, shop / (name + "-hub"), options);
    Json config = read_json(shop / (name + "-hub/head_config.json"));
    EXPECT_EQ(config.at("config").at("label2id"), (Json{{"no", 0}, {"yes", 1}, {"maybe", 2}}));
    EXPECT_EQ(config.at("config").at("num_labels"), 3);
    TensorPile pile = TensorPile::open(shop / (name + "-hub/pytorch_model_head.bin"));
    for (const char* number : head.adapterhub)
      EXPECT_TRUE(pile.contains(fmt::format("heads.h.{}.weight", number)));
    convert_adapter(shop / (name + "-hub"), kPeft, shop / (name + "-back"), options);
    expect_same_tensors(tensors_in(shop / (name + "-back")), peft.tensors());
    EXPECT_EQ(config_in(shop / (name + "-back")).at("task_type"), head.task);
  }
}

TEST(Convert, LeavesNothingWhenItFails) {
  Workshop shop;
  TinyPeft peft;
  peft.more["base_model.model.model.layers.0.self_attn.q_proj.lora_B.bias"] =
      random_tensor({8}, "bias");
  expect_error([&] { convert_adapter(peft.write(shop / "in"), kMlx, shop / "out", {}); },
               {"lora_bias"});
  EXPECT_FALSE(fs::exists(shop / "out"));
  EXPECT_FALSE(fs::exists(shop / ".out.partial"));
}

TEST(Convert, DoesNotTouchAFolderThatIsThere) {
  Workshop shop;
  fs::path source = TinyPeft{}.write(shop / "in");
  fs::create_directories(shop / "out");
  expect_error([&] { convert_adapter(source, kMlx, shop / "out", {}); }, {"is there already"});
}

TEST(Convert, KeepsWhatInlayRecords) {
  Workshop shop;
  TinyPeft peft;
  peft.config["inlay"] = {{"version", 1}, {"base_root_hash", "abc"}};
  peft.write(shop / "in");
  for (FileFormat through : {kMlx, kTorchtune, kAdapterHub}) {
    std::string name = file_format_name(through);
    ConvertOptions options{.base = tiny_llama()};
    options.base.heads = 2;
    options.base.kv_heads = 2;
    convert_adapter(shop / "in", through, shop / name, options);
    convert_adapter(shop / name, kPeft, shop / (name + "-back"), options);
    EXPECT_EQ(config_in(shop / (name + "-back")).at("inlay"), peft.config["inlay"]) << name;
    expect_same_tensors(tensors_in(shop / (name + "-back")), peft.tensors());
  }
}

TEST(Convert, NamesWhatIsNoFormat) {
  Workshop shop;
  fs::create_directories(shop / "in");
  expect_error([&] { detect_format(shop / "in"); }, {"no adapter_config.json"});
  write_config(shop / "in", {{"hello", 1}});
  expect_error([&] { detect_format(shop / "in"); }, {"peft_type", "lora_parameters"});
  write_config(shop / "in", {{"peft_type", "LOHA"}});
  expect_error([&] { convert_adapter(shop / "in", kMlx, shop / "out", {}); },
               {"LOHA", "only LoRA"});
  expect_error([&] { file_format_from_name("onnx"); },
               {"peft, adapterhub, mlx, torchtune or gguf"});
}

}  // namespace
}  // namespace inlay::exchange
