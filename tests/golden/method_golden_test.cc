// Adapter methods against PyTorch, computed straight from their papers' equations: logits, loss,
// the gradient of every trained tensor, merged weights. The tensors are set by name.
#include "adapters/adapter.h"
#include "golden_case.h"

namespace inlay {
namespace {

struct MethodCase {
  const char* folder;
  const char* method;
  DType compute;
};

constexpr std::pair<const char*, const char*> kMethods[] = {
    {"bert-ia3", "ia3"},
    {"bert-ln-tuning", "ln_tuning"},
    {"bert-gated-bottleneck",
     "bottleneck[reduction_factor=8,use_gating=true,residual_before_ln=false]"},
    {"bert-adapter-plus", "bottleneck[preset=adapter_plus,reduction_factor=8]"},
    {"bert-compacter", "compacter[reduction_factor=8]"},
    {"bert-loreft", "loreft[r=3,prefix_positions=2,suffix_positions=2]"},
    {"bert-noreft", "noreft[r=3,prefix_positions=2,suffix_positions=2]"},
    {"bert-direft", "direft[r=3,prefix_positions=2,suffix_positions=2]"},
    {"bert-bitfit", "bitfit"},
    {"bert-unipelt",
     "prefix_tuning[num_virtual_tokens=3,prefix_projection=true,encoder_hidden_size=6,use_gating="
     "true]|bottleneck[reduction_factor=8,use_gating=true]|lora[r=4,target_modules=,use_gating="
     "true]"},
};

std::vector<MethodCase> all_method_cases() {
  std::vector<MethodCase> cases;
  for (auto [folder, method] : kMethods) {
    for (DType compute : {DType::kF64, DType::kF32, DType::kBF16})
      cases.push_back({folder, method, compute});
  }
  return cases;
}

class MethodGolden : public testing::TestWithParam<MethodCase> {
 protected:
  MethodGolden() : golden_("bert-single-label", GetParam().folder, GetParam().compute) {
    golden_.load_head(HeadKind::kSequenceClassification);
    adapter_ =
        Adapter::create("golden", parse_method(GetParam().method), golden_.model->facts(), 1);
    std::size_t given = 0;
    for (const std::string& name : golden_.names()) given += name.starts_with("value.") ? 1 : 0;
    EXPECT_EQ(given, adapter_->entries().size());
    for (Adapter::Entry& entry : adapter_->entries())
      golden_.set(entry.parameter, golden_.expected("value." + entry.parameter.name()));
    golden_.context.adapters = {{.hooks = adapter_.get()}};
  }

  double tolerance() const { return golden_tolerance(GetParam().compute); }

  GoldenCase golden_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_P(MethodGolden, LogitsAndLossAgree) { golden_.expect_logits_and_loss(); }

TEST_P(MethodGolden, GradientsOfEveryTrainedTensorAgree) {
  golden_.backward(golden_.head_logits());
  for (Adapter::Entry& entry : adapter_->entries()) {
    if (!entry.trained) continue;
    Tensor gradient = entry.parameter.take_gradient();
    std::string name = "grad." + entry.parameter.name();
    ASSERT_TRUE(gradient.defined()) << name;
    // What reaches a key is p (dp - sum p dp), a difference of near equals, whose sum over keys is
    // 0 but for rounding: the gradient of their bias. What reaches an edited state is a projection
    // of a gradient that hardly lies in its few dimensions; what reaches the gate of an update is
    // one sum over all tokens and channels, which nearly cancels.
    bool rounded = GetParam().compute == DType::kBF16;
    bool projection = name.find(".units.") != name.npos;
    bool key = name.find(".key.") != name.npos;
    bool cancels = key || name.find(".lora.gate.") != name.npos;
    double factor = !rounded                                         ? 1
                    : projection || (key && name.ends_with(".bias")) ? 3
                    : cancels                                        ? 2
                                                                     : 1;
    expect_tensor(gradient, golden_.expected(name), factor * tolerance(), name);
  }
}

// A method that can be merged has its merged tensors in the golden file.
TEST_P(MethodGolden, MergedTensorsAgree) {
  if (GetParam().compute != DType::kF64) return;
  for (const Site* site : adapter_->sites()) {
    MergedTensors merged;
    if (site->weight.defined()) merged.weight = site->weight.to(DType::kF64);
    if (site->bias.defined()) merged.bias = site->bias.to(DType::kF64);
    bool given = golden_.has("merged." + site->name + ".weight") ||
                 golden_.has("merged." + site->name + ".bias");
    ASSERT_EQ(adapter_->at(site->index)->merge(merged), given) << site->name;
    for (auto [part, tensor] :
         {std::pair(".weight", &merged.weight), std::pair(".bias", &merged.bias)}) {
      std::string name = "merged." + site->name + part;
      if (golden_.has(name)) expect_tensor(*tensor, golden_.expected(name), 1e-6, name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodGolden, testing::ValuesIn(all_method_cases()),
                         golden_case_name<MethodCase>);

}  // namespace
}  // namespace inlay
