// An invertible adapter and the masked-LM head that takes it back, against PyTorch: logits, loss
// and the gradient of every trained tensor.
#include <cmath>

#include "adapters/storage.h"
#include "golden_case.h"

namespace inlay {
namespace {

constexpr const char* kFolder = "bert-seq-bn-inv-masked-lm";

class InvertibleGolden : public testing::TestWithParam<DType> {
 protected:
  InvertibleGolden() : golden_("bert-masked-lm", kFolder, GetParam()) {
    adapter_ = golden_.load_with_head(kFolder);
  }

  // Of all tokens, whose rows are the batch's.
  Variable logits() { return golden_.model->masked_lm_logits(golden_.context, golden_.encode()); }
  double tolerance() const { return golden_tolerance(GetParam()); }

  GoldenCase golden_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_P(InvertibleGolden, LogitsAndLossAgree) {
  Variable found = logits();
  expect_tensor(found.value(), golden_.expected("logits"), tolerance(), "logits");
  std::vector<int32_t> labels = golden_.class_labels();
  Variable rows = cross_entropy(golden_.context, found, labels,
                                {.normalizer = cross_entropy_weight(labels, {})});
  double loss = 0;
  for (int64_t i = 0; i < rows.value().count(); ++i) loss += in(rows.value()).load<double>(i);
  double expected = in(golden_.expected("loss")).load<double>(0);
  EXPECT_NEAR(loss, expected, tolerance() * std::max(1.0, expected));
}

TEST_P(InvertibleGolden, GradientsOfEveryTrainedTensorAgree) {
  golden_.backward(logits());
  std::size_t expected = 0;
  for (const std::string& name : golden_.names()) expected += name.starts_with("grad.") ? 1 : 0;
  EXPECT_EQ(adapter_->entries().size(), expected);
  for (Adapter::Entry& entry : adapter_->entries()) {
    std::string name = fmt::format("grad.{}{}.{}.{}", golden_.model->facts().prefix,
                                   entry.site->adapterhub, adapter_->name(), entry.part);
    Tensor gradient = entry.parameter.take_gradient();
    ASSERT_TRUE(gradient.defined()) << name;
    expect_tensor(gradient, golden_.expected(name), tolerance(), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, InvertibleGolden,
                         testing::Values(DType::kF64, DType::kF32, DType::kBF16),
                         [](const auto& info) { return std::string(dtype_name(info.param)); });

}  // namespace
}  // namespace inlay
