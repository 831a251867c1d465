// AdaptFormer: Chen et al. 2022, arXiv:2205.13535, eq. 2 and 3: a bottleneck in parallel to the
// feed-forward part, which reads what that reads (after the norm, in a ViT):
//   MLP(u) + s W_up relu(W_down u + b_down) + s b_up,  u = LN(x')
// The authors' code reads x' without the norm. W_up starts at zero.
#include <cmath>

#include "adapters/block_sites.h"
#include "adapters/bottleneck_hook.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr int64_t kWidest = 65536;

class AdaptFormer : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("bottleneck", bottleneck_, "channels of the bottleneck");
    visit("scaling", scaling_, "factor of what it gives");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(bottleneck_ >= 1 && bottleneck_ <= kWidest, ErrorKind::kUsage,
            "adaptformer: bottleneck is {}; expected 1 to {}", bottleneck_, kWidest);
    require(std::isfinite(scaling_) && scaling_ != 0, ErrorKind::kUsage,
            "adaptformer: scaling is {}, so that nothing would be learned; expected another "
            "number, such as 0.1",
            scaling_);
    return block_sites(base, {SiteRole::kFeedForwardBlock}, "adaptformer");
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    auto zeros = [&](const char* part, const Shape& shape) -> Parameter& {
      return make.make(site, part, Tensor::zeros(shape, DType::kF32));
    };
    const char* down = "adaptformer.down.weight";
    Tensor start = kaiming_uniform_init({bottleneck_, site.out}, make.stream(site, down));
    Parameter& down_weight = make.make(site, down, std::move(start));
    Parameter& down_bias = zeros("adaptformer.down.bias", {bottleneck_});
    Parameter& up_weight = zeros("adaptformer.up.weight", {site.out, bottleneck_});
    Parameter& up_bias = zeros("adaptformer.up.bias", {site.out});
    return make_bottleneck_hook({down_weight, down_bias, up_weight, up_bias, nullptr, std::nullopt},
                                {.activation = Activation::kRelu,
                                 .input = BottleneckInput::kBlockInput,
                                 .scaling = scaling_},
                                site.name);
  }

 private:
  int64_t bottleneck_ = 64;
  double scaling_ = 0.1;
};

}  // namespace

const MethodInfo& method_adaptformer() {
  static const MethodInfo info{
      .name = "adaptformer",
      .summary = "Adds a small network in parallel to feed-forward parts.",
      .citation = "arXiv:2205.13535",
      .example = "adaptformer[bottleneck=64]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<AdaptFormer>(); }};
  return info;
}

}  // namespace inlay
