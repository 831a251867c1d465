// Prompt-like adapters against PyTorch: logits, loss, the gradient of every trained tensor, and the
// logits at a gate between 0 and 1.
#include <cmath>
#include <map>

#include "adapters/storage.h"
#include "base/files.h"
#include "golden_case.h"

namespace inlay {
namespace {

constexpr float kGate = 0.3f;  // of adapters_prompt.py

struct PromptCase {
  const char* folder;
  const char* method;
  DType compute;
};

constexpr std::pair<const char*, const char*> kCases[] = {
    {"bert-prefix-flat", "prefix_tuning[num_virtual_tokens=3]"},
    {"bert-prefix-peft", "prefix_tuning[num_virtual_tokens=3,shift_positions=true]"},
    {"bert-prefix-network",
     "prefix_tuning[num_virtual_tokens=2,prefix_projection=true,encoder_hidden_size=6]"},
    {"bert-prefix-gated",
     "prefix_tuning[num_virtual_tokens=3,prefix_projection=false,use_gating=true,shared_gating="
     "false]"},
    {"bert-zero-init", "zero_init_prefix[adapter_len=3]"},
    {"bert-zero-init-scalar", "zero_init_prefix[adapter_len=3,adapter_layers=1,gate=scalar]"},
    {"bert-prompt", "prompt_tuning[num_virtual_tokens=3]"},
    {"bert-prompt-after-bos", "prompt_tuning[num_virtual_tokens=3,combine=prefix_after_bos]"},
    {"bert-prompt-peft", "prompt_tuning[num_virtual_tokens=3,placement=inputs_embeds]"},
    {"bert-p-tuning",
     "p_tuning[num_virtual_tokens=2,encoder_hidden_size=6,placement=inputs_embeds]"}};

std::vector<PromptCase> all_prompt_cases() {
  std::vector<PromptCase> cases;
  for (auto [folder, method] : kCases) {
    for (DType compute : {DType::kF64, DType::kF32, DType::kBF16})
      cases.push_back({folder, method, compute});
  }
  return cases;
}

class PromptGolden : public testing::TestWithParam<PromptCase> {
 protected:
  PromptGolden() : golden_("bert-single-label", GetParam().folder, GetParam().compute) {
    golden_.load_head(HeadKind::kSequenceClassification);
    adapter_ =
        Adapter::create("golden", parse_method(GetParam().method), golden_.model->facts(), 1);
    for (Adapter::Entry& entry : adapter_->entries())
      golden_.set(entry.parameter, golden_.expected("adapter." + entry.parameter.name()));
    golden_.context.adapters = {{.hooks = adapter_.get()}};
  }

  double tolerance() const { return golden_tolerance(GetParam().compute); }

  GoldenCase golden_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_P(PromptGolden, LogitsAndLossAgree) { golden_.expect_logits_and_loss(); }

TEST_P(PromptGolden, GradientsOfEveryTrainedTensorAgree) {
  golden_.backward(golden_.head_logits());
  std::size_t compared = 0;
  // Tensors are made from one another, so a gradient is taken from each, in any order.
  for (Adapter::Entry& entry : adapter_->entries()) {
    std::string name = entry.parameter.name();
    Tensor gradient = entry.parameter.take_gradient();
    ASSERT_TRUE(gradient.defined()) << name;
    // What reaches keys and gates is a difference of near equals.
    double factor = GetParam().compute == DType::kBF16 ? 2 : 1;
    expect_tensor(gradient, golden_.expected("grad." + name), factor * tolerance(), name);
    ++compared;
  }
  std::size_t expected = 0;
  for (const std::string& name : golden_.names()) expected += name.starts_with("grad.") ? 1 : 0;
  EXPECT_EQ(compared, expected);
}

TEST_P(PromptGolden, AGateMultipliesTheWeightOfVirtualTokens) {
  golden_.context.adapters.front().gate = kGate;
  if (std::string_view(GetParam().folder) == "bert-prefix-peft") {
    EXPECT_THROW(golden_.head_logits(), Error);  // positions are moved or are not
    return;
  }
  expect_tensor(golden_.head_logits().value(), golden_.expected("logits.gate"), tolerance(),
                "logits.gate");
}

INSTANTIATE_TEST_SUITE_P(Methods, PromptGolden, testing::ValuesIn(all_prompt_cases()),
                         golden_case_name<PromptCase>);

// As PEFT writes them, with a classifier.
class PromptFiles : public testing::TestWithParam<const char*> {};

TEST_P(PromptFiles, OfPeftGiveTheirLogits) {
  GoldenCase golden("bert-single-label", GetParam(), DType::kF32);
  LoadedAdapter loaded = load_adapter(golden_folder(GetParam()), golden.model->facts());
  golden.head = std::move(loaded.head);
  golden.context.adapters = {{.hooks = loaded.adapter.get()}};
  expect_tensor(golden.head_logits().value(), golden.expected("logits"),
                golden_tolerance(DType::kF32), "logits");
}

TEST_P(PromptFiles, OfPeftAreWrittenAgainAsTheyWere) {
  auto model = load_model(golden_folder("bert-single-label"));
  std::filesystem::path original = golden_folder(GetParam());
  LoadedAdapter first = load_adapter(original, model->facts());
  std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / GetParam();
  save_adapter(folder, {first.adapter.get(), first.head.get(), first.label}, model->facts());
  EXPECT_EQ(read_file(original / "adapter_model.safetensors"),
            read_file(folder / "adapter_model.safetensors"));
  Json was = read_json(original / "adapter_config.json"),
       is = read_json(folder / "adapter_config.json");
  for (const auto& [key, value] : was.items()) EXPECT_EQ(is.at(key), value) << key;
  LoadedAdapter second = load_adapter(folder, model->facts());
  EXPECT_EQ(first.adapter->config(), second.adapter->config());
}

INSTANTIATE_TEST_SUITE_P(Peft, PromptFiles, testing::Values("bert-prefix-peft", "bert-prompt-peft"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace inlay
