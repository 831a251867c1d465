#include "adapters/conv_low_rank_hook.h"

#include <utility>

#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "autograd/ops/conv_routes.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/lora.h"
#include "nn/modules.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// 1 x 1 from r channels.
ConvShape pointwise(const ConvShape& base, int64_t rank) {
  return {.in = rank, .out = base.out, .groups = base.groups};
}

class ConvLowRankHook : public SiteHook {
 public:
  ConvLowRankHook(const Site& site, ConvLowRankParts parts)
      : site_(site), parts_(std::move(parts)) {}

  Variable conv(Context& context, const ConvSite& module, const Variable& x, Variable y) override {
    Variable read = dropout(context, x, parts_.dropout, parts_.stream);
    ConvShape down = shape_over(module, x.row_space()->map);
    down.out = parts_.a->shape()[0];
    if (down.groups > 1) return in_groups(context, down, read, y);
    if (is_pointwise(down))
      return lora(context, std::move(y), read, *parts_.a, *parts_.b, parts_.scale);
    Variable narrow =
        inlay::conv(context, read, down, {.weight = parts_.a}, y.row_space(), Precision::kFull);
    return low_rank_add(context, std::move(y), narrow, *parts_.b, parts_.scale);
  }

  // W[o] += s sum_r B[o, r] A[r], group by group.
  bool merge(MergedTensors& merged) override {
    const ConvShape& shape = site_.conv;
    int64_t rank = parts_.a->shape()[0], groups = shape.groups;
    int64_t taps = parts_.a->value().count() / rank;
    int64_t out = shape.out / groups, inner = rank / groups;
    Tensor a = parts_.a->value().to(merged.weight.dtype());
    Tensor b = parts_.b->value().to(merged.weight.dtype());
    with_real(merged.weight.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t g = 0; g < groups; ++g) {
        Eigen::Map<RowMajor<T>> weight(merged.weight.template mutable_data<T>() + g * out * taps,
                                       out, taps);
        Eigen::Map<const RowMajor<T>> up(b.template data<T>() + g * out * inner, out, inner);
        Eigen::Map<const RowMajor<T>> down(a.template data<T>() + g * inner * taps, inner, taps);
        weight.noalias() += static_cast<T>(parts_.scale) * up * down;
      }
    });
    return true;
  }

 private:
  // Each group has factors of its own.
  Variable in_groups(Context& context, const ConvShape& down, const Variable& x,
                     const Variable& y) const {
    Variable narrow =
        inlay::conv(context, x, down, {.weight = parts_.a}, y.row_space(), Precision::kCompute);
    Variable update = inlay::conv(context, narrow, pointwise(site_.conv, down.out),
                                  {.weight = parts_.b}, y.row_space(), Precision::kFull);
    return add_scaled(context, y, update, static_cast<double>(parts_.scale));
  }

  const Site& site_;
  ConvLowRankParts parts_;
};

}  // namespace

std::unique_ptr<SiteHook> make_conv_low_rank_hook(const Site& site, const ConvLowRankParts& parts) {
  return std::make_unique<ConvLowRankHook>(site, parts);
}

}  // namespace inlay
