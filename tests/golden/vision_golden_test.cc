// Families of images against PyTorch: what the last layer gives, logits, loss and the gradient of
// every tensor.
#include <map>

#include "adapters/merged_checkpoint.h"
#include "golden_case.h"
#include "models/pixel_source.h"

namespace inlay {
namespace {

struct VisionCase {
  const char* folder;
  DType compute;
};

std::vector<VisionCase> all_vision_cases() {
  std::vector<VisionCase> cases;
  for (const char* folder :
       {"mobilenet-v2-image", "mobilenet-v2-dilated-image", "resnet-bottleneck-image",
        "resnet-basic-image", "vit-image", "deit-image", "convnext-image",
        "convnext-unscaled-image", "dinov2-image", "dinov2-resized-image"}) {
    for (DType compute : {DType::kF64, DType::kF32, DType::kBF16})
      cases.push_back({folder, compute});
  }
  return cases;
}

// One of the images of a tensor (images, height, width, 3).
class GivenPixels : public PixelSource {
 public:
  GivenPixels(Tensor images, int64_t index) : images_(std::move(images)), index_(index) {}
  MapSize size() const override { return {images_.dim(1), images_.dim(2)}; }
  void read(float* pixels) const override {
    int64_t count = size().places() * 3;
    std::copy_n(images_.data<float>() + index_ * count, count, pixels);
  }

 private:
  Tensor images_;
  int64_t index_;
};

class VisionGolden : public testing::TestWithParam<VisionCase> {
 protected:
  VisionGolden()
      : context_(GetParam().compute),
        expected_(SafetensorsFile::open(golden_folder(GetParam().folder) / "expected.safetensors")),
        model_(load_model(golden_folder(GetParam().folder))) {
    Tensor images = expected_.tensor("pixels");
    std::vector<TokenSequence> sequences(static_cast<std::size_t>(images.dim(0)));
    std::vector<const TokenSequence*> pointers;
    pointers.reserve(sequences.size());
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      sequences[i].pixels = std::make_shared<GivenPixels>(images, static_cast<int64_t>(i));
      pointers.push_back(&sequences[i]);
    }
    batch_ = make_token_batch(pointers, {});
    HeadLayout layout = model_->facts().head_layout(HeadKind::kSequenceClassification);
    head_ = std::make_unique<Head>(layout, model_->facts().channels_of(layout.input), 3, 0.0, 1);
    for (Parameter& parameter : head_->parameters()) {
      parameter.set_value(model_->checkpoint().tensor(parameter.name()));
      parameter.convert(context_.dtype(Precision::kFull));
    }
  }

  Variable logits(const Variable& hidden) {
    if (head_->layout().input == HeadInput::kPooler)
      return head_->logits(context_, model_->pooled(context_, hidden, batch_));
    bool first = head_->layout().input == HeadInput::kFirst;
    return head_->logits(
        context_,
        pooling(context_, hidden, first ? Pooling::kFirst : Pooling::kMean, &batch_.examples));
  }

  // MobileNetV2's 53 convolutions round twice as often as what golden_tolerance() is made for.
  double tolerance() const {
    bool deep = model_->facts().model_type == "mobilenet_v2";
    return golden_tolerance(GetParam().compute) * (deep ? 2 : 1);
  }

  Context context_;
  SafetensorsFile expected_;
  std::shared_ptr<const Model> model_;
  TokenBatch batch_;
  std::unique_ptr<Head> head_;
};

TEST_P(VisionGolden, HiddenRowsLogitsAndLossAgree) {
  Variable hidden = model_->encode(context_, batch_);
  Variable found = logits(hidden);
  if (GetParam().compute == DType::kBF16) {
    expect_close_on_average(hidden.value(), expected_.tensor("hidden"), tolerance(), "hidden");
    return expect_close_on_average(found.value(), expected_.tensor("logits"), tolerance(),
                                   "logits");
  }
  expect_tensor(hidden.value(), expected_.tensor("hidden"), tolerance(), "hidden");
  expect_tensor(found.value(), expected_.tensor("logits"), tolerance(), "logits");
  std::vector<int32_t> labels = {0, 1, 2};
  Variable rows =
      cross_entropy(context_, found, labels, {.normalizer = cross_entropy_weight(labels, {})});
  double sum = 0;
  for (int64_t i = 0; i < rows.value().count(); ++i) sum += in(rows.value()).load<double>(i);
  EXPECT_NEAR(sum, in(expected_.tensor("loss")).load<double>(0), 3 * tolerance());
}

TEST_P(VisionGolden, GradientsOfEveryTensorAgree) {
  // In bf16 a unit within rounding of a kink flips, and with it a column of gradients.
  if (GetParam().compute == DType::kBF16) GTEST_SKIP() << "activations with kinks, in bf16";
  auto full = Adapter::create("full", parse_method("full"), model_->facts(), 1);
  full->convert(context_.dtype(Precision::kFull));
  context_.adapters = {{.hooks = full.get()}};
  Variable found = logits(model_->encode(context_, batch_));
  context_.tape.backward(found, expected_.tensor("grad_logits").to(found.dtype()));

  std::map<std::string, Parameter*> parameters;
  for (Adapter::Entry& entry : full->entries())
    parameters[entry.parameter.name()] = &entry.parameter;
  for (Parameter& parameter : head_->parameters()) parameters[parameter.name()] = &parameter;
  const std::string& prefix = model_->facts().prefix;
  std::size_t compared = 0;
  for (const std::string& name : expected_.names()) {
    if (!name.starts_with("grad.")) continue;
    std::string bare = name.substr(5);
    if (bare.starts_with(prefix)) bare = bare.substr(prefix.size());
    // A table that has no module keeps its tensor as a module's weight.
    if (!parameters.contains(bare)) bare += ".weight";
    ASSERT_TRUE(parameters.contains(bare)) << bare;
    Tensor gradient = parameters[bare]->take_gradient();
    ASSERT_TRUE(gradient.defined()) << bare;
    // Keys' biases have no effect on a softmax: their gradient is rounding alone.
    double bound = bare.ends_with("key.bias") ? 1000 * tolerance() : 3 * tolerance();
    expect_tensor(gradient, expected_.tensor(name), bound, name);
    ++compared;
  }
  EXPECT_EQ(compared, parameters.size());
}

TEST(VisionMerge, BareTensorsGoBackUnderTheirOwnNames) {
  auto model = load_model(golden_folder("dinov2-resized-image"));
  auto full = Adapter::create("full", parse_method("full"), model->facts(), 1);
  const std::map<std::string, std::string> changed = {
      {"encoder.layer.1.layer_scale2.lambda1", "dinov2.encoder.layer.1.layer_scale2.lambda1"},
      {"embeddings.position_embeddings.weight", "dinov2.embeddings.position_embeddings"}};
  for (Adapter::Entry& entry : full->entries()) {
    if (!changed.contains(entry.parameter.name())) continue;
    entry.parameter.set_value(Tensor::zeros(entry.parameter.value().shape(), DType::kF32));
  }
  MergedCheckpoint merged = merge_into(model->checkpoint(), model->facts(), full.get());
  EXPECT_EQ(merged.changed, 2u);
  for (const NamedTensor& named : merged.tensors) {
    for (const auto& [parameter, name] : changed) {
      if (named.name != name) continue;
      Tensor zeros = Tensor::zeros(model->checkpoint().tensor(name).shape(), DType::kF32);
      expect_tensor(named.tensor, zeros, 0, name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, VisionGolden, testing::ValuesIn(all_vision_cases()),
                         golden_case_name<VisionCase>);

}  // namespace
}  // namespace inlay
