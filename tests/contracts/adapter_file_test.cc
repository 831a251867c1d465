// Adapter folders: what PEFT and AdapterHub find in them, which heads stand where, and what is
// refused with which words.
#include <gtest/gtest.h>

#include <functional>

#include "adapters/storage.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "formats/safetensors.h"
#include "models/model.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& name) { return source_dir() / "tests/golden/models" / name; }

std::shared_ptr<const Model> model_of(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const Model>> models;
  auto& model = models[name];
  if (model == nullptr) model = load_model(golden(name));
  return model;
}

const HeadLabel kSequence{
    "text-classification", "single_label_classification", "SEQ_CLS", {"no", "yes"}};
const HeadLabel kTokens{"token-classification", "", "TOKEN_CLS", {"O", "B-X"}};

class AdapterFolder : public testing::Test {
 protected:
  AdapterFolder()
      : folder_(fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
  }
  ~AdapterFolder() override { fs::remove_all(folder_); }

  // Saves a fresh adapter with a head, and gives its hash.
  std::string save(const std::string& base, const std::string& method, const HeadLayout& layout,
                   const HeadLabel& label) {
    base_ = model_of(base);
    auto adapter = Adapter::create("reviews.v1", parse_method(method), base_->facts(), 1);
    Head head(layout, base_->facts().hidden, 2, 0.2, 2);
    save_adapter(folder_, {adapter.get(), &head, label}, base_->facts());
    return adapter_hash(adapter.get(), &head);
  }
  std::string save(const std::string& base, const std::string& method) {
    return save(base, method, model_of(base)->facts().sequence_head, kSequence);
  }

  // A copy of a golden folder, its configuration changed.
  void copy(const std::string& name, const std::function<void(Json&)>& change) {
    fs::copy(golden(name), folder_);
    Json config = read_json(folder_ / "adapter_config.json");
    change(config);
    write_file_atomically(folder_ / "adapter_config.json", pretty_json(config));
    base_ = model_of("bert-single-label");
  }

  Json config() const { return read_json(folder_ / "adapter_config.json"); }
  Json targets() const { return config().at("target_modules"); }
  std::vector<std::string> names(const char* file) const {
    return SafetensorsFile::open(folder_ / file).names();
  }
  LoadedAdapter load() const { return load_adapter(folder_, base_->facts()); }
  std::string loaded_hash() const {
    LoadedAdapter loaded = load();
    return adapter_hash(loaded.adapter.get(), loaded.head.get());
  }

  // The words of the refusal.
  std::string refusal() const {
    try {
      load();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "";
  }
  void expect_refusal(const std::string& words) const {
    EXPECT_NE(refusal().find(words), std::string::npos) << refusal();
  }

  fs::path folder_;
  std::shared_ptr<const Model> base_;
};

// --- what PEFT finds ---

TEST_F(AdapterFolder, AllLinearIsWrittenAsTheSuffixesThatSelectTheSameModules) {
  save("bert-single-label", "lora[r=2]");
  EXPECT_EQ(targets(), Json({"dense", "key", "query", "value"}));
}

TEST_F(AdapterFolder, SuffixesKeepClearOfTheHeadsLayers) {
  save("roberta-single-label", "lora[r=2]");
  EXPECT_EQ(targets(), Json({"intermediate.dense", "key", "output.dense", "query", "value"}));
}

TEST_F(AdapterFolder, OnePatternIsWrittenAsTheTextThatPeftMatches) {
  std::string hash = save("bert-single-label", "lora[r=2,target_modules='.*layer\\.1\\..*query']");
  EXPECT_EQ(targets(), ".*layer\\.1\\..*query");
  EXPECT_EQ(loaded_hash(), hash);
}

TEST_F(AdapterFolder, APatternThatMissesThePrefixedNamesBecomesSuffixes) {
  std::string hash =
      save("bert-single-label", "lora[r=2,target_modules='encoder\\.layer\\.1\\..*query']");
  EXPECT_EQ(targets(), Json({"1.attention.self.query"}));
  EXPECT_EQ(loaded_hash(), hash);
}

TEST_F(AdapterFolder, LayersAreWrittenAsNumbersAndExclusionsAsNames) {
  std::string hash = save("bert-single-label",
                          "lora[r=2,target_modules=query+dense,exclude_modules=attention.output."
                          "dense,layers_to_transform=1]");
  EXPECT_EQ(config().at("layers_to_transform"), Json({1}));
  EXPECT_EQ(config().at("exclude_modules"), Json({"attention.output.dense"}));
  EXPECT_EQ(loaded_hash(), hash);
}

TEST_F(AdapterFolder, TheFamilysHeadStandsAmongTheAdaptersTensors) {
  std::string hash = save("distilbert-single-label", "lora[r=2,target_modules=q_lin]");
  EXPECT_EQ(config().at("task_type"), "SEQ_CLS");
  EXPECT_EQ(config().at("modules_to_save"), Json({"pre_classifier", "classifier", "score"}));
  SafetensorsFile file = SafetensorsFile::open(folder_ / "adapter_model.safetensors");
  EXPECT_TRUE(file.contains("base_model.model.pre_classifier.weight"));
  EXPECT_TRUE(file.contains(
      "base_model.model.distilbert.transformer.layer.0.attention.q_lin.lora_A.weight"));
  EXPECT_FALSE(fs::exists(folder_ / "head.json"));
  EXPECT_EQ(loaded_hash(), hash);
}

TEST_F(AdapterFolder, AnotherHeadStandsBesideAnAdapterOfTheBareModel) {
  HeadLayout mean{.input = HeadInput::kMean, .dense = {{"dense", Activation::kRelu}}};
  std::string hash = save("bert-single-label", "lora[r=2]", mean, kSequence);
  EXPECT_EQ(config().at("task_type"), "FEATURE_EXTRACTION");
  for (const std::string& name : names("adapter_model.safetensors")) {
    EXPECT_FALSE(name.starts_with("base_model.model.bert.")) << name;
  }
  LoadedAdapter loaded = load();
  EXPECT_EQ(adapter_hash(loaded.adapter.get(), loaded.head.get()), hash);
  EXPECT_EQ(loaded.head->layout().input, HeadInput::kMean);
  EXPECT_EQ(loaded.head->dropout(), 0.2);
  EXPECT_EQ(loaded.label.classes, kSequence.classes);
}

TEST_F(AdapterFolder, ATokenClassifierLacksThePoolerInPeftAndStillLoads) {
  save("bert-single-label", "lora[r=2]", model_of("bert-single-label")->facts().token_head,
       kTokens);
  EXPECT_EQ(config().at("task_type"), "TOKEN_CLS");
  SafetensorsFile file = SafetensorsFile::open(folder_ / "adapter_model.safetensors");
  std::vector<NamedTensor> kept;
  for (const std::string& name : file.names()) {
    if (name.find("pooler") == name.npos) kept.push_back({name, file.tensor(name)});
  }
  ASSERT_LT(kept.size(), file.names().size());
  write_safetensors(folder_ / "adapter_model.safetensors", kept, {{"format", "pt"}});
  LoadedAdapter loaded = load();
  EXPECT_EQ(loaded.adapter->entries().size() + loaded.head->parameters().size(), kept.size());
}

// --- what is refused ---

TEST_F(AdapterFolder, SettingsThatChangeTheMathematicsAreRefusedByName) {
  const std::pair<const char*, Json> settings[] = {{"bias", "all"},
                                                   {"fan_in_fan_out", true},
                                                   {"layer_replication", {{0, 1}}},
                                                   {"target_parameters", {"experts"}},
                                                   {"trainable_token_indices", {1}},
                                                   {"use_qalora", true},
                                                   {"alora_invocation_tokens", {5}},
                                                   {"use_new_thing", true}};
  for (const auto& [name, value] : settings) {
    fs::remove_all(folder_);
    copy("bert-lora", [&name = name, &value = value](Json& config) { config[name] = value; });
    expect_refusal(fmt::format("\"{}\" is {}", name, value.dump()));
  }
}

TEST_F(AdapterFolder, UnknownSettingsThatSayNothingAreLeftAlone) {
  copy("bert-lora", [](Json& config) {
    config["peft_version"] = "0.19.0";
    config["use_new_thing"] = false;
    config["new_config"] = nullptr;
  });
  EXPECT_EQ(refusal(), "");
}

TEST_F(AdapterFolder, ATensorTooManyIsRefusedByName) {
  copy("bert-lora", [](Json& config) { config["target_modules"] = {"query"}; });
  expect_refusal(
      "base_model.model.bert.encoder.layer.0.attention.self.value.lora_A.weight is not used");
}

TEST_F(AdapterFolder, ATensorTooFewIsRefusedByName) {
  copy("bert-lora", [](Json& config) { config["target_modules"] = {"query", "value", "key"}; });
  expect_refusal(
      "base_model.model.bert.encoder.layer.1.attention.self.key.lora_B.weight is missing");
}

TEST_F(AdapterFolder, AnotherRankIsRefusedWithBothShapes) {
  copy("bert-lora", [](Json& config) { config["r"] = 3; });
  expect_refusal("query.lora_A.weight has shape (4, 32) where (3, 32) is expected");
}

TEST_F(AdapterFolder, AStartThatChangedTheBaseIsRefused) {
  copy("bert-lora", [](Json& config) { config["init_lora_weights"] = "pissa"; });
  expect_refusal("\"init_lora_weights\" is \"pissa\"");
}

TEST_F(AdapterFolder, PatternsWithPrefixedNamesKeepTheirValues) {
  copy("bert-lora", [](Json& config) {
    config["alpha_pattern"] = {{"bert.encoder.layer.1.attention.self.value", 2}};
  });
  std::map<std::string, double> expected{{"encoder.layer.1.attention.self.value", 2}};
  EXPECT_EQ(load().adapter->config().at("alpha_pattern"), Json(expected));
}

TEST_F(AdapterFolder, AdapterHubSettingsThatAreNotImplementedAreRefusedByName) {
  const std::pair<const char*, Json> settings[] = {
      {"ln_before", true}, {"cross_adapter", true}, {"inv_adapter", "glow"}, {"ln_after", true}};
  for (const auto& [name, value] : settings) {
    fs::remove_all(folder_);
    copy("bert-seq-bn",
         [&name = name, &value = value](Json& config) { config["config"][name] = value; });
    expect_refusal(fmt::format("\"{}\" is {}", name, value.dump()));
  }
}

TEST_F(AdapterFolder, AFolderWithoutAnAdapterIsRefused) {
  fs::create_directories(folder_);
  base_ = model_of("bert-single-label");
  expect_refusal("no adapter_config.json");
  write_file_atomically(folder_ / "adapter_config.json", "{}");
  expect_refusal("no key \"peft_type\", \"config\" or \"inlay\"");
}

// --- AdapterHub's files and ours ---

TEST_F(AdapterFolder, AdapterHubsTwoFileKindsHoldTheSame) {
  std::string hash = save("roberta-single-label", "bottleneck[preset=houlsby,reduction_factor=4]");
  EXPECT_EQ(config().at("name"), "reviews_v1");
  EXPECT_EQ(config().at("model_class"), "RobertaAdapterModel");
  EXPECT_EQ(load().adapter->name(), "reviews.v1");
  EXPECT_EQ(loaded_hash(), hash);
  fs::remove(folder_ / "adapter.safetensors");
  fs::remove(folder_ / "model_head.safetensors");
  EXPECT_EQ(loaded_hash(), hash);
}

TEST_F(AdapterFolder, AHeadThatAdapterHubCannotHoldStandsInOurFile) {
  std::string hash = save("distilbert-single-label", "bottleneck[reduction_factor=4]");
  EXPECT_FALSE(fs::exists(folder_ / "head_config.json"));
  EXPECT_EQ(loaded_hash(), hash);
}

TEST_F(AdapterFolder, ATokenHeadIsAdapterHubsTagging) {
  std::string hash = save("bert-single-label", "bottleneck",
                          model_of("bert-single-label")->facts().token_head, kTokens);
  EXPECT_EQ(read_json(folder_ / "head_config.json").at("config").at("head_type"), "tagging");
  LoadedAdapter loaded = load();
  EXPECT_EQ(adapter_hash(loaded.adapter.get(), loaded.head.get()), hash);
  EXPECT_EQ(loaded.label.classes, kTokens.classes);
}

TEST_F(AdapterFolder, AHeadAloneAndAnAdapterAloneComeBack) {
  base_ = model_of("bert-single-label");
  Head head(base_->facts().sequence_head, base_->facts().hidden, 2, 0.1, 2);
  save_adapter(folder_, {.head = &head, .label = kSequence}, base_->facts());
  EXPECT_EQ(loaded_hash(), adapter_hash(nullptr, &head));
  for (const char* method : {"lora[r=2]", "bottleneck", "bitfit"}) {
    auto adapter = Adapter::create("a", parse_method(method), base_->facts(), 1);
    save_adapter(folder_, {.adapter = adapter.get(), .label = {.task = "masked-lm"}},
                 base_->facts());
    LoadedAdapter loaded = load();
    EXPECT_EQ(loaded.head, nullptr) << method;
    EXPECT_EQ(loaded.label.task, "masked-lm") << method;
    EXPECT_EQ(adapter_hash(loaded.adapter.get(), nullptr), adapter_hash(adapter.get(), nullptr))
        << method;
  }
}

}  // namespace
}  // namespace inlay
