// Residual adapters: Rebuffi et al. 2018, arXiv:1803.10082. In parallel, a layer's filters of k x k
// are joined by ones of 1 x 1, y = BN(conv(x) + a * x); in series, they read what the layer gives,
// y = BN(h + a * h), h = conv(x). The batch norms are the task's own. In a grouped convolution the
// small filters have its groups. Zero at the start.
#include <algorithm>

#include "adapters/batch_norm_hook.h"
#include "adapters/targets.h"
#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "nn/modules.h"

namespace inlay {
namespace {

// The small filters see the place in the middle of what the convolution sees.
ConvShape middle_of(const ConvShape& shape, MapSize map) {
  MapSize output = shape.output(map);
  ConvShape small{.in = shape.in,
                  .out = shape.out,
                  .stride_height = shape.stride_height,
                  .stride_width = shape.stride_width,
                  .groups = shape.groups};
  auto before = [](int64_t padding, int64_t dilation, int64_t kernel) {
    return padding - dilation * (kernel - 1) / 2;
  };
  small.padding.top = before(shape.padding.top, shape.dilation_height, shape.kernel_height);
  small.padding.left = before(shape.padding.left, shape.dilation_width, shape.kernel_width);
  // The last place that is read: (output - 1) * stride - before, so many rows from the end.
  small.padding.bottom =
      (output.height - 1) * shape.stride_height + 1 - map.height - small.padding.top;
  small.padding.right =
      (output.width - 1) * shape.stride_width + 1 - map.width - small.padding.left;
  return small;
}

class ParallelHook : public SiteHook {
 public:
  ParallelHook(const Site& site, Parameter& filters) : site_(site), filters_(filters) {}

  Variable conv(Context& context, const ConvSite& module, const Variable& x, Variable y) override {
    MapSize map = x.row_space()->map;
    Variable own = inlay::conv(context, x, middle_of(shape_over(module, map), map),
                               {.weight = &filters_}, y.row_space(), Precision::kFull);
    return add(context, y, own);
  }

  bool merge(MergedTensors& merged) override {
    const ConvShape& shape = site_.conv;
    int64_t taps = shape.kernel_height * shape.kernel_width;
    int64_t middle =
        (shape.kernel_height - 1) / 2 * shape.kernel_width + (shape.kernel_width - 1) / 2;
    for (int64_t i = 0; i < filters_.value().count(); ++i) {
      int64_t at = i * taps + middle;
      double sum = in(merged.weight).load<double>(at) + in(filters_.value()).load<double>(i);
      out(merged.weight).store(at, sum);
    }
    return true;
  }

 private:
  const Site& site_;
  Parameter& filters_;
};

class SeriesHook : public SiteHook {
 public:
  SeriesHook(const Site& site, Parameter& filters) : site_(site), filters_(filters) {}

  Variable conv(Context& context, const ConvSite&, const Variable&, Variable y) override {
    ConvShape shape{.in = site_.out, .out = site_.out, .groups = site_.conv.groups};
    Variable own =
        inlay::conv(context, y, shape, {.weight = &filters_}, y.row_space(), Precision::kFull);
    return add(context, y, own);
  }

 private:
  const Site& site_;
  Parameter& filters_;
};

class Residual : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit.choice("mode", mode_, {"parallel", "series"}, "beside the convolution, or after it");
    visit("target_modules", targets_.target_modules,
          "names (suffixes) of convolutions, or a pattern; empty: all larger than 1 x 1");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
    visit.choice("statistics", statistics_, {"batch", "base"},
                 "what maps are normalised by: the task's own batches, or the base's");
    visit("momentum", momentum_, "the weight of a batch in the moving averages");
  }

  // Convolutions, and every batch norm.
  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(momentum_ > 0 && momentum_ <= 1, ErrorKind::kUsage,
            "residual: momentum is {}; expected a number above 0, up to 1", momentum_);
    TargetRules rules = targets_;
    if (rules.target_modules.empty()) rules.target_modules = large_convolutions(base);
    std::vector<const Site*> convolutions = select_targets(base, {SiteKind::kConv}, rules);
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      bool chosen = std::find(convolutions.begin(), convolutions.end(), site) != convolutions.end();
      if (chosen) check_middle(*site);
      if (chosen || is_batch_norm(*site)) sites.push_back(site);
    }
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    if (site.kind == SiteKind::kNorm) return own_batch_norm(site, make, own_statistics());
    bool parallel = mode_ == "parallel";
    int64_t read = parallel ? site.in : site.out;
    Parameter& filters =
        make.make(site, "residual.weight",
                  Tensor::zeros({site.out, read / site.conv.groups, 1, 1}, DType::kF32));
    if (parallel) return std::make_unique<ParallelHook>(site, filters);
    return std::make_unique<SeriesHook>(site, filters);
  }

  bool couples_batch() const override { return own_statistics(); }
  bool trains_together() const override { return !own_statistics(); }
  std::unique_ptr<MethodTraining> training(Adapter& adapter) const override {
    return own_statistics() ? moving_statistics(adapter, momentum_) : nullptr;
  }

 private:
  bool own_statistics() const { return statistics_ == "batch"; }

  static std::vector<std::string> large_convolutions(const BaseFacts& base) {
    std::vector<std::string> names;
    for (const Site* site : base.sites) {
      bool large = site->conv.kernel_height > 1 || site->conv.kernel_width > 1;
      if (site->kind == SiteKind::kConv && large) names.push_back(site->name);
    }
    require(!names.empty(), ErrorKind::kUsage,
            "residual: this {} base has no convolution larger than 1 x 1; name target_modules, or "
            "use lora",
            base.model_type);
    return names;
  }

  static void check_middle(const Site& site) {
    require(site.conv.kernel_height % 2 == 1 && site.conv.kernel_width % 2 == 1, ErrorKind::kUsage,
            "residual: the kernel of {} is {} x {}, which has no middle; leave it out with "
            "exclude_modules",
            site.name, site.conv.kernel_height, site.conv.kernel_width);
  }

  std::string mode_ = "parallel", statistics_ = "batch";
  TargetRules targets_;
  double momentum_ = 0.1;
};

}  // namespace

const MethodInfo& method_residual() {
  static const MethodInfo info{
      .name = "residual",
      .summary = "Adds filters of 1 x 1 to convolutions, with batch norms of the task's own.",
      .citation = "arXiv:1803.10082",
      .example = "residual[mode=parallel]",
      .format = AdapterFormat::kNative,
      .learning_rate = 3e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Residual>(); }};
  return info;
}

}  // namespace inlay
