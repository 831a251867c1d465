// Adapters that PEFT and AdapterHub would write, loaded from their files, against PyTorch: logits,
// loss and the gradient of every trained tensor. What is saved again is the same file.
#include <cmath>

#include "adapters/storage.h"
#include "base/files.h"
#include "golden_case.h"

namespace inlay {
namespace {

struct Case {
  const char* folder;
  const char* base;
  DType compute;
};

constexpr std::pair<const char*, const char*> kFolders[] = {
    {"bert-vera", "bert-single-label"},
    {"bert-vera-drawn", "bert-single-label"},
    {"bert-adalora", "bert-single-label"},
    {"bert-dora", "bert-single-label"},
    {"bert-lora-bias", "bert-single-label"},
    {"bert-lora", "bert-single-label"},
    {"roberta-rslora-patterns", "roberta-single-label"},
    {"bert-seq-bn", "bert-single-label"},
    {"bert-double-seq-bn", "bert-single-label"},
    {"bert-par-bn", "bert-single-label"},
    {"bert-scaled-par-bn", "bert-single-label"},
    {"bert-seq-bn-inv", "bert-single-label"},
    {"bert-loha", "bert-single-label"},
    {"bert-lokr", "bert-single-label"},
    {"bert-miss", "bert-single-label"},
    {"bert-shira", "bert-single-label"},
    {"bert-hra", "bert-single-label"},
    {"bert-oft", "bert-single-label"},
    {"bert-c3a", "bert-single-label"},
    {"bert-oft-exact", "bert-single-label"},
    {"bert-vblora", "bert-single-label"},
    {"bert-randlora", "bert-single-label"},
    {"bert-boft", "bert-single-label"},
    {"bert-fourierft", "bert-single-label"},
    {"bert-coft", "bert-single-label"},
    {"bert-trainable-tokens", "bert-single-label"},
};

std::vector<Case> all_cases(std::initializer_list<DType> types) {
  std::vector<Case> cases;
  for (auto [folder, base] : kFolders) {
    for (DType compute : types) cases.push_back({folder, base, compute});
  }
  return cases;
}

class AdapterGolden : public testing::TestWithParam<Case> {
 protected:
  AdapterGolden() : golden_(GetParam().base, GetParam().folder, GetParam().compute) {
    adapter_ = golden_.load_with_head(GetParam().folder);
  }

  // The names of the trained tensors in the library's files.
  std::map<std::string, Parameter*> by_file_name() {
    std::map<std::string, Parameter*> parameters;
    const BaseFacts& facts = golden_.model->facts();
    bool peft = adapter_->info().format == AdapterFormat::kPeft;
    for (Adapter::Entry& entry : adapter_->entries()) {
      if (!entry.trained) continue;
      std::string name;
      if (entry.site == nullptr) {
        name = "base_model." + entry.parameter.name();
      } else if (peft) {
        name = "base_model.model." + facts.prefix + entry.parameter.name();
      } else {
        name = facts.prefix + entry.site->adapterhub + "." + adapter_->name() + "." + entry.part;
      }
      parameters[name] = &entry.parameter;
    }
    int64_t index = 0;
    for (Parameter& parameter : golden_.head->parameters()) {
      std::string part = index % 2 == 0 ? "weight" : "bias";
      std::string name =
          peft ? "base_model.model." + parameter.name()
               : fmt::format("heads.{}.{}.{}", adapter_->name(), index / 2 * 3 + 1, part);
      parameters[name] = &parameter;
      ++index;
    }
    return parameters;
  }

  double tolerance() const { return golden_tolerance(GetParam().compute); }

  GoldenCase golden_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_P(AdapterGolden, LogitsAndLossAgree) { golden_.expect_logits_and_loss(); }

TEST_P(AdapterGolden, GradientsOfEveryTrainedTensorAgree) {
  golden_.backward(golden_.head_logits());
  std::map<std::string, Parameter*> parameters = by_file_name();
  std::size_t compared = 0;
  for (const std::string& name : golden_.names()) {
    if (!name.starts_with("grad.")) continue;
    ASSERT_TRUE(parameters.contains(name.substr(5))) << name;
    Tensor gradient = parameters[name.substr(5)]->take_gradient();
    ASSERT_TRUE(gradient.defined()) << name;
    // What reaches a query or a key is p (dp - sum p dp), a difference of near equals.
    bool difference = name.find(".query.") != name.npos || name.find(".key.") != name.npos;
    // AdaLoRA's singular values see sums of products of two rounded numbers that nearly cancel.
    bool cancels = name.ends_with(".lora_E") && GetParam().compute == DType::kBF16;
    double factor = cancels ? 4 : difference ? 2 : 1;
    expect_tensor(gradient, golden_.expected(name), factor * tolerance(), name);
    ++compared;
  }
  EXPECT_EQ(compared, parameters.size());
}

// Those layers whose merged weight the folder gives.
// A method that can be merged has merged weights in the golden file.
TEST_P(AdapterGolden, MergedWeightsAgree) {
  const BaseFacts& facts = golden_.model->facts();
  DType dtype = golden_.context.dtype(Precision::kFull);
  bool merges = false;
  int compared = 0;
  for (const Site* site : adapter_->sites()) {
    MergedTensors merged;
    if (site->weight.defined()) merged.weight = site->weight.to(dtype);
    if (site->bias.defined()) merged.bias = site->bias.to(dtype);
    merges = adapter_->at(site->index)->merge(merged) || merges;
    for (auto [part, tensor] : {std::pair("", &merged.weight), std::pair(".bias", &merged.bias)}) {
      std::string name = "merged." + facts.prefix + site->name + part;
      if (!golden_.has(name)) continue;
      expect_tensor(*tensor, golden_.expected(name), golden_tolerance(dtype), name);
      ++compared;
    }
  }
  EXPECT_EQ(compared > 0, merges);
}

INSTANTIATE_TEST_SUITE_P(Files, AdapterGolden,
                         testing::ValuesIn(all_cases({DType::kF64, DType::kF32, DType::kBF16})),
                         golden_case_name<Case>);

class AdapterFiles : public testing::TestWithParam<Case> {};

TEST_P(AdapterFiles, AreWrittenAgainAsTheyWere) {
  auto model = load_model(golden_folder(GetParam().base));
  std::filesystem::path original = golden_folder(GetParam().folder);
  LoadedAdapter first = load_adapter(original, model->facts());
  std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / GetParam().folder;
  save_adapter(folder, {first.adapter.get(), first.head.get(), first.label}, model->facts());
  LoadedAdapter second = load_adapter(folder, model->facts());

  EXPECT_EQ(adapter_hash(first.adapter.get(), first.head.get()),
            adapter_hash(second.adapter.get(), second.head.get()));
  EXPECT_EQ(first.adapter->config(), second.adapter->config());
  EXPECT_EQ(first.label.classes, second.label.classes);
  for (const char* file :
       {"adapter_model.safetensors", "adapter.safetensors", "model_head.safetensors"}) {
    EXPECT_EQ(std::filesystem::exists(original / file), std::filesystem::exists(folder / file))
        << file;
    // A file of several types has its tensors in an order of their own; the hash compares those.
    bool mixed = std::string_view(GetParam().folder) == "bert-shira";
    if (!std::filesystem::exists(original / file) || mixed) continue;
    EXPECT_EQ(read_file(original / file), read_file(folder / file)) << file;
  }
  // Every setting of the original is written again with its value.
  Json was = read_json(original / "adapter_config.json"),
       is = read_json(folder / "adapter_config.json");
  for (const auto& [key, value] : was.items()) EXPECT_EQ(is.at(key), value) << key;
}

INSTANTIATE_TEST_SUITE_P(Files, AdapterFiles, testing::ValuesIn(all_cases({DType::kF32})),
                         golden_case_name<Case>);

}  // namespace
}  // namespace inlay
