// Folders as AdapterHub keeps adapters, against PyTorch: logits, loss and the gradient of every
// tensor; what is written from them is the same file, and what does not fit is told by name.
#include <cmath>

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_parts.h"
#include "adapters/composition.h"
#include "adapters/storage.h"
#include "base/files.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"
#include "golden_case.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBase = "bert-single-label";
constexpr const char* kFusion = "bert-hub-fusion";
// The pool of its prefixes stands below every layer as well, as torch.save found it.
constexpr const char* kTorchOnly = "bert-hub-prefix";

const std::vector<const char*>& folders() {
  static const std::vector<const char*> all = {"bert-hub-lora",   "bert-hub-ia3",
                                               "bert-hub-prefix", "bert-hub-prefix-flat",
                                               "bert-hub-prompt", "bert-hub-prompt-after-bos",
                                               "bert-hub-mam",    "bert-hub-fusion"};
  return all;
}

struct AdapterhubCase {
  const char* folder;
  DType compute;
};

std::vector<AdapterhubCase> all_adapterhub_cases() {
  std::vector<AdapterhubCase> cases;
  for (const char* folder : folders()) {
    for (DType compute : {DType::kF64, DType::kF32, DType::kBF16})
      cases.push_back({folder, compute});
  }
  return cases;
}

class AdapterHubGolden : public testing::TestWithParam<AdapterhubCase> {
 protected:
  AdapterHubGolden() : golden_(kBase, GetParam().folder, GetParam().compute) {
    adapter_ = golden_.load_with_head(GetParam().folder);
  }

  // The names of the trained tensors in AdapterHub's files.
  std::map<std::string, Parameter*> by_key() {
    std::map<std::string, Parameter*> parameters;
    const BaseFacts& facts = golden_.model->facts();
    for (Adapter::Entry& entry : adapter_->entries()) {
      if (entry.trained) parameters[key_of(entry, facts)] = &entry.parameter;
    }
    int64_t index = 0;
    for (Parameter& parameter : golden_.head->parameters()) {
      const char* part = index % 2 == 0 ? "weight" : "bias";
      parameters[fmt::format("heads.tiny.{}.{}", index / 2 * 3 + 1, part)] = &parameter;
      ++index;
    }
    return parameters;
  }

  GoldenCase golden_;
  std::unique_ptr<Adapter> adapter_;

 private:
  std::string key_of(const Adapter::Entry& entry, const BaseFacts& facts) const {
    if (std::string_view(GetParam().folder) != kFusion) {
      auto parts = adapterhub_parts(adapter_->info(), adapter_->method());
      return adapterhub_key(parts, facts, "tiny", entry).key;
    }
    std::string module = entry.site->name.substr(0, entry.site->name.rfind(".output"));
    std::string part = entry.part.substr(std::string("fusion.").size());
    return facts.prefix + module + ".output.adapter_fusion_layer.left,right." + part;
  }
};

TEST_P(AdapterHubGolden, LogitsAndLossAgree) { golden_.expect_logits_and_loss(); }

TEST_P(AdapterHubGolden, GradientsOfEveryTrainedTensorAgree) {
  golden_.backward(golden_.head_logits());
  std::map<std::string, Parameter*> parameters = by_key();
  std::size_t compared = 0;
  for (const std::string& name : golden_.names()) {
    if (!name.starts_with("grad.")) continue;
    ASSERT_TRUE(parameters.contains(name.substr(5))) << name;
    Tensor gradient = parameters[name.substr(5)]->take_gradient();
    ASSERT_TRUE(gradient.defined()) << name;
    // What reaches queries, keys and gates is a difference of near equals.
    double factor = GetParam().compute == DType::kBF16 ? 2 : 1;
    expect_tensor(gradient, golden_.expected(name), factor * golden_tolerance(GetParam().compute),
                  name);
    ++compared;
  }
  EXPECT_EQ(compared, parameters.size());
}

INSTANTIATE_TEST_SUITE_P(Files, AdapterHubGolden, testing::ValuesIn(all_adapterhub_cases()),
                         golden_case_name<AdapterhubCase>);

// A copy of a golden folder that a test changes.
class AdapterHubFolder : public testing::Test {
 protected:
  AdapterHubFolder()
      : model_(load_model(golden_folder(kBase))),
        folder_(fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~AdapterHubFolder() override { fs::remove_all(folder_); }

  LoadedAdapter load(const fs::path& folder) const { return load_adapter(folder, model_->facts()); }
  fs::path save(const LoadedAdapter& loaded, const std::string& name,
                AdapterFormat format = AdapterFormat::kAdapterHub) const {
    save_adapter_as(format, folder_ / name, {loaded.adapter.get(), loaded.head.get(), loaded.label},
                    model_->facts());
    return folder_ / name;
  }
  std::unique_ptr<Adapter> fresh(const std::string& method) const {
    return Adapter::create("tiny", parse_method(method), model_->facts(), 1);
  }
  // The words in which a fresh adapter of the method is refused.
  std::string refusal(const std::string& method, AdapterFormat format) const {
    std::unique_ptr<Adapter> adapter = fresh(method);
    return error_of([&] {
      save_adapter_as(format, folder_ / "refused", {adapter.get(), nullptr, {}}, model_->facts());
    });
  }
  // Those of a golden folder whose configuration was changed.
  std::string refusal_of(const char* golden, const Json& patch) const {
    fs::path copy = folder_ / "changed";
    fs::remove_all(copy);
    fs::copy(golden_folder(golden), copy, fs::copy_options::recursive);
    Json config = read_json(copy / "adapter_config.json");
    config.merge_patch(patch);
    write_file_atomically(copy / "adapter_config.json", config.dump());
    return error_of([&] { load(copy); });
  }
  template <class Call>
  static std::string error_of(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      return error.what();
    }
    return "";
  }
  static void expect_words(const std::string& text, const std::vector<std::string>& words) {
    for (const std::string& word : words) EXPECT_NE(text.find(word), text.npos) << text;
  }

  std::shared_ptr<const Model> model_;
  fs::path folder_;
};

std::map<std::string, std::string> bytes_of(const TorchFile& file) {
  std::map<std::string, std::string> bytes;
  for (const std::string& name : file.names()) {
    Tensor tensor = file.tensor(name);
    bytes[name] = tensor.shape().text() +
                  std::string(reinterpret_cast<const char*>(tensor.raw()), tensor.byte_count());
  }
  return bytes;
}

TEST_F(AdapterHubFolder, IsWrittenAgainByteForByte) {
  for (const char* name : folders()) {
    SCOPED_TRACE(name);
    fs::path original = golden_folder(name), again = save(load(original), name);
    std::size_t compared = 0;
    for (const auto& item : fs::recursive_directory_iterator(original)) {
      fs::path file = fs::relative(item.path(), original);
      if (file.filename() == "expected.safetensors" || item.is_directory()) continue;
      // A head beside a composition goes by the composition's name, which AdapterHub has none for.
      bool own_name =
          std::string_view(name) == kFusion && file.string().find("head") != file.string().npos;
      if (own_name || file.extension() == ".bin") continue;
      ++compared;
      ASSERT_TRUE(fs::exists(again / file)) << file;
      if (file.extension() == ".safetensors") {
        EXPECT_EQ(read_file(original / file), read_file(again / file)) << file;
      } else if (file.extension() == ".json") {
        Json was = read_json(original / file), is = read_json(again / file);
        // What a base leaves open, a head of ours says.
        if (file.filename() == "head_config.json") was["config"]["dropout_prob"] = 0.1;
        for (const auto& [key, value] : was.items()) EXPECT_EQ(is.at(key), value) << file << key;
      }
    }
    EXPECT_GE(compared, 3u);
  }
}

// torch.save's file has copies of the pool, ours has each tensor once.
TEST_F(AdapterHubFolder, HoldsTheSameTensorsInBothForms) {
  fs::path original = golden_folder(kTorchOnly), again = save(load(original), "again");
  auto was = bytes_of(TorchFile::open(original / "pytorch_adapter.bin"));
  std::erase_if(was,
                [](const auto& named) { return named.first.find(".pool.") != std::string::npos; });
  EXPECT_EQ(was.size(), 5u);
  EXPECT_EQ(bytes_of(TorchFile::open(again / "pytorch_adapter.bin")), was);
  SafetensorsFile safe = SafetensorsFile::open(again / "adapter.safetensors");
  EXPECT_EQ(safe.names().size(), was.size());
}

TEST_F(AdapterHubFolder, IsReadFromEitherForm) {
  LoadedAdapter first = load(golden_folder("bert-hub-lora"));
  fs::path again = save(first, "again");
  fs::remove(again / "adapter.safetensors");
  fs::remove(again / "model_head.safetensors");
  LoadedAdapter second = load(again);
  EXPECT_EQ(adapter_hash(first.adapter.get(), first.head.get()),
            adapter_hash(second.adapter.get(), second.head.get()));
  fs::remove(again / "pytorch_adapter.bin");
  expect_words(error_of([&] { load(again); }), {"adapter.safetensors", "pytorch_adapter.bin"});
}

TEST_F(AdapterHubFolder, GoesToPeftAndBackWhereBothComputeTheSame) {
  for (const char* name : {"bert-hub-lora", "bert-hub-ia3"}) {
    SCOPED_TRACE(name);
    LoadedAdapter first = load(golden_folder(name));
    first.head = nullptr;  // of a form that is AdapterHub's alone
    LoadedAdapter peft = load(save(first, std::string(name) + "-peft", AdapterFormat::kPeft));
    fs::path back = save(peft, std::string(name) + "-back");
    EXPECT_EQ(read_file(back / "adapter.safetensors"),
              read_file(golden_folder(name) / "adapter.safetensors"));
  }
}

TEST_F(AdapterHubFolder, NamesWhatItHasNoPlaceFor) {
  using enum AdapterFormat;
  expect_words(refusal("lora[r=2,target_modules=attention.output.dense]", kAdapterHub),
               {"no place for", "encoder.layer.0.attention.output.dense"});
  expect_words(refusal("lora[r=2,target_modules=query+key,rank_pattern=key:4]", kAdapterHub),
               {"rank_pattern", "one rank"});
  expect_words(refusal("lora[r=2,lora_bias=true,target_modules=query]", kAdapterHub),
               {"lora_bias"});
  expect_words(refusal("lora[r=2,alpha=4,use_dora=true,target_modules=query]", kAdapterHub),
               {"alpha = r"});
  expect_words(refusal("lora[r=2,alpha=2,use_dora=true,target_modules=query]", kAdapterHub),
               {"base's bias", "encoder.layer.0.attention.self.query"});
  expect_words(refusal("vera[r=2]", kAdapterHub), {"no counterpart of method vera", "lora, "});
  expect_words(refusal("prompt_tuning[placement=inputs_embeds]", kAdapterHub),
               {"placement=inputs_embeds"});
  expect_words(refusal("prompt_tuning", kPeft), {"PROMPT_TUNING", "placement=after_embeddings"});
  expect_words(refusal("prefix_tuning[prefix_projection=true]", kPeft),
               {"PREFIX_TUNING", "prefix_projection=true"});
  expect_words(refusal("bottleneck", kPeft), {"PEFT has no counterpart of method bottleneck"});
  expect_words(refusal("lora[r=2,target_modules=query]|ia3[target_modules=key]", kAdapterHub),
               {"lora twice"});
  expect_words(refusal("lora[r=2]|ln_tuning", kAdapterHub), {"no counterpart of method ln_tuning"});
  expect_words(refusal("average(bottleneck, bottleneck)", kAdapterHub), {"average("});
  expect_words(refusal("stack(lora[r=2], bottleneck)", kAdapterHub), {"method lora"});
  LoadedAdapter headed = load(golden_folder("bert-hub-ia3"));
  expect_words(error_of([&] { save(headed, "refused", kPeft); }),
               {"PEFT has no place for this head", "--without-head"});
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

TEST_F(AdapterHubFolder, RsLoraIsFoldedIntoAlphaWhereThatIsExact) {
  std::unique_ptr<Adapter> adapter =
      fresh("lora[r=4,alpha=3,use_rslora=true,target_modules=query]");
  save_adapter_as(AdapterFormat::kAdapterHub, folder_ / "out", {adapter.get(), nullptr, {}},
                  model_->facts());
  Json config = read_json(folder_ / "out/adapter_config.json").at("config");
  EXPECT_EQ(config.at("alpha"), 6);
  EXPECT_EQ(config.at("attn_matrices"), Json({"q"}));
  EXPECT_EQ(adapter_hash(load(folder_ / "out").adapter.get(), nullptr),
            adapter_hash(adapter.get(), nullptr));
}

TEST_F(AdapterHubFolder, NamesWhatMeansSomethingElseThere) {
  auto lora = [&](const Json& patch) { return refusal_of("bert-hub-lora", {{"config", patch}}); };
  expect_words(lora({{"use_gating", true}}), {"query.loras.tiny.gate.weight is missing"});
  expect_words(lora({{"vera_d", 0.1}}), {"vera_d"});
  expect_words(lora({{"use_dora", true}, {"alpha", 4}}), {"base's bias"});
  expect_words(lora({{"use_dora", true}}), {"alpha = r"});
  expect_words(lora({{"attn_matrices", {"o"}}}), {"attn_matrices"});
  expect_words(lora({{"architecture", "mtl_lora"}}), {"mtl_lora", "prefix_tuning"});
  expect_words(refusal_of("bert-hub-prefix", {{"config", {{"non_linearity", "relu"}}}}),
               {"non_linearity"});
  expect_words(refusal_of("bert-hub-prefix-flat", {{"config", {{"shared_gating", false}}}}),
               {"shared_gating"});
  expect_words(refusal_of("bert-hub-mam", {{"config", {{"configs", {1}}}}}), {"configs"});
}

TEST_F(AdapterHubFolder, Trap6ListsTensorsThatAreMissingUnusedOrOfAnotherShape) {
  auto lora = [&](const Json& patch) { return refusal_of("bert-hub-lora", {{"config", patch}}); };
  expect_words(lora({{"r", 2}}), {"query.loras.tiny.lora_A has shape", "expected"});
  expect_words(lora({{"attn_matrices", {"q"}}}), {"value.loras.tiny.lora_A is not used"});
  expect_words(lora({{"attn_matrices", {"q", "k", "v"}}}),
               {"key.loras.tiny.lora_A is missing", "key.loras.tiny.lora_B is missing"});
  expect_words(lora({{"leave_out", Json::array()}}), {"encoder.layer.0.attention.self.query"});
  expect_words(refusal_of("bert-hub-lora", {{"hidden_size", 64}}), {"hidden size 64"});
  expect_words(refusal_of("bert-hub-lora", {{"name", "other"}}), {"loras.other.lora_A is missing"});
  expect_words(refusal_of("bert-hub-prefix", {{"config", {{"flat", true}}}}),
               {"control_trans is missing", "wte.weight is not used"});
  expect_words(refusal_of("bert-hub-prompt", {{"config", {{"prompt_length", 4}}}}),
               {"prompt_embedding.weight has shape"});
}

TEST_F(AdapterHubFolder, Trap6TellsAPoolThatDiffersFromItsCopies) {
  fs::path original = golden_folder(kTorchOnly);
  TorchFile file = TorchFile::open(original / "pytorch_adapter.bin");
  std::vector<NamedTensor> tensors;
  for (const std::string& name : file.names()) tensors.push_back({name, file.tensor(name).clone()});
  std::string changed = tensors.back().name;
  ASSERT_NE(changed.find(".pool."), changed.npos);
  tensors.back().tensor.mutable_data<float>()[0] += 1;
  fs::copy(original, folder_ / "in");
  write_torch(folder_ / "in/pytorch_adapter.bin", tensors);
  expect_words(error_of([&] { load(folder_ / "in"); }), {changed + " is not used"});
}

TEST_F(AdapterHubFolder, Trap6RefusesAnotherBase) {
  fs::path again = save(load(golden_folder("bert-hub-ia3")), "again");
  auto other = load_model(golden_folder("bert-multi-label"));
  expect_words(error_of([&] { load_adapter(again, other->facts()); }),
               {model_->facts().root_hash, other->facts().root_hash});
  fs::path fused = save(load(golden_folder(kFusion)), "fused");
  expect_words(error_of([&] { load_adapter(fused, other->facts()); }),
               {model_->facts().root_hash, other->facts().root_hash});
}

TEST_F(AdapterHubFolder, Trap17AlphaIsRBeforeVersion110) {
  fs::copy(golden_folder("bert-hub-lora"), folder_ / "in");
  Json config = read_json(folder_ / "in/adapter_config.json");
  config["version"] = "adapters.1.0.1";
  write_file_atomically(folder_ / "in/adapter_config.json", config.dump());
  EXPECT_EQ(load(folder_ / "in").adapter->config().at("alpha"), 4);
  EXPECT_EQ(load(golden_folder("bert-hub-lora")).adapter->config().at("alpha"), 8);
}

TEST_F(AdapterHubFolder, Trap22NeverConvertsIa3sVectorOfTheFeedForwardPart) {
  expect_words(refusal("ia3", AdapterFormat::kAdapterHub),
               {"before the activation", "encoder.layer.0.output.dense"});
  expect_words(refusal("ia3[target_modules=key+intermediate.dense]", AdapterFormat::kAdapterHub),
               {"encoder.layer.0.intermediate.dense"});
  expect_words(refusal_of("bert-hub-ia3", {{"config", {{"intermediate_lora", true}}}}),
               {"intermediate_lora"});
}

// --- compositions ---

TEST_F(AdapterHubFolder, AFusionIsReadFromItsFoldersAndNamesWhatIsMissing) {
  LoadedAdapter loaded = load(golden_folder(kFusion));
  EXPECT_EQ(composition_of(*loaded.adapter)->what, Composing::kFuse);
  fs::copy(golden_folder(kFusion), folder_ / "in", fs::copy_options::recursive);
  fs::remove_all(folder_ / "in/left,right");
  expect_words(error_of([&] { load(folder_ / "in"); }),
               {"adapter_fusion_config.json", "left,right"});
  fs::remove_all(folder_ / "in/right");
  expect_words(error_of([&] { load(folder_ / "in"); }), {"in/right", "adapter_config.json"});
}

TEST_F(AdapterHubFolder, ATrainedFusionOfOursComesBackWithItsHead) {
  std::unique_ptr<Adapter> one = fresh("bottleneck"), two = fresh("bottleneck[reduction_factor=8]");
  auto mixed = compose("mixed", "fuse(one, two)", {{"one", one.get()}, {"two", two.get()}},
                       model_->facts(), 3);
  Head head(model_->facts().sequence_head, model_->facts().hidden, 2, 0.2, 4);
  HeadLabel label{"text-classification", "single_label_classification", "SEQ_CLS", {"no", "yes"}};
  save_adapter_as(AdapterFormat::kAdapterHub, folder_ / "out", {mixed.get(), &head, label},
                  model_->facts());
  for (const char* file : {"one/pytorch_adapter.bin", "two/adapter.safetensors",
                           "one,two/pytorch_model_adapter_fusion.bin",
                           "one,two/model_adapter_fusion.safetensors", "adapter_setup.json"})
    EXPECT_TRUE(fs::exists(folder_ / "out" / file)) << file;
  LoadedAdapter back = load(folder_ / "out");
  EXPECT_EQ(adapter_hash(back.adapter.get(), back.head.get()), adapter_hash(mixed.get(), &head));
  EXPECT_EQ(back.adapter->name(), "mixed");
  EXPECT_EQ(back.label.classes, label.classes);
  EXPECT_EQ(recorded_label(folder_ / "out").task, label.task);
}

TEST_F(AdapterHubFolder, AStackOfFusionsComesBack) {
  std::unique_ptr<Adapter> one = fresh("bottleneck"), two = fresh("bottleneck[reduction_factor=8]");
  auto mixed = compose("mixed", "stack(one, fuse(two, one))",
                       {{"one", one.get()}, {"two", two.get()}}, model_->facts(), 3);
  save_adapter_as(AdapterFormat::kAdapterHub, folder_ / "out", {mixed.get(), nullptr, {}},
                  model_->facts());
  LoadedAdapter back = load(folder_ / "out");
  EXPECT_EQ(adapter_hash(back.adapter.get(), nullptr), adapter_hash(mixed.get(), nullptr));
}

TEST_F(AdapterHubFolder, ACompositionThatIsSavedSaysWhatAdapterHubCallsIt) {
  std::unique_ptr<Adapter> one = fresh("bottleneck"), two = fresh("bottleneck[reduction_factor=8]");
  AdaptersAtHand at_hand{{"one", one.get()}, {"two", two.get()}};
  auto save_as = [&](const std::string& text) {
    auto mixed = compose("mixed", text, at_hand, model_->facts(), 3);
    save_adapter(folder_ / "out", {mixed.get(), nullptr, {}}, model_->facts());
    EXPECT_EQ(adapter_hash(load(folder_ / "out").adapter.get(), nullptr),
              adapter_hash(mixed.get(), nullptr));
  };
  save_as("average(one:1, two:3)");
  Json setup = read_json(folder_ / "out/adapter_setup.json").at("adapter_setup");
  EXPECT_EQ(setup.at("type"), "Average");
  EXPECT_EQ(setup.at("kwargs"), (Json{{"weights", {0.25, 0.75}}}));
  EXPECT_EQ(setup.at("children").front(), (Json{{"type", "single"}, {"children", {"one"}}}));
  save_as("stack(one, drop(two, 0))");
  EXPECT_FALSE(fs::exists(folder_ / "out/adapter_setup.json"));
}

}  // namespace
}  // namespace inlay
