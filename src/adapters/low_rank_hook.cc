#include "adapters/low_rank_hook.h"

#include <optional>
#include <utility>

#include "adapters/delta_hook.h"
#include "adapters/dora_norm.h"
#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "autograd/ops/bias.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/rescale.h"
#include "nn/modules.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

class LowRankHook : public SiteHook {
 public:
  LowRankHook(const Site& site, const LowRankParts& parts) : site_(site), parts_(parts) {
    if (parts_.magnitude != nullptr)
      norm_.emplace(row_squares(out_by_in(site)), *parts_.a, *parts_.b, parts_.scale);
  }

  Variable linear(Context& context, const LinearSite& module, const Variable& x,
                  Variable y) override {
    Variable read = dropout(context, x, parts_.dropout, parts_.stream);
    if (parts_.gate.has_value()) return gated(context, x, read, y);
    if (parts_.magnitude == nullptr) return updated(context, read, std::move(y));
    if (read.same_as(x)) return stretched(context, module, updated(context, read, std::move(y)));
    // The magnitudes act on what the layer gives for the inputs that were kept.
    Variable plain = inlay::linear(context, read, {.frozen = &module.weight}, Precision::kFull);
    Variable adapted = stretched(context, module, updated(context, read, plain));
    return add(context, y, add_scaled(context, adapted, plain, -1.0));
  }

  bool merge(MergedTensors& merged) override {
    if (parts_.gate.has_value()) return false;
    if (parts_.bias != nullptr && !merged.bias.defined()) return false;
    Tensor delta = update();
    merge_delta(merged, delta);
    if (parts_.bias != nullptr) {
      kernels::axpy(parts_.scale, in(parts_.bias->value().to(merged.bias.dtype())),
                    out(merged.bias), merged.bias.count());
    }
    if (parts_.magnitude != nullptr) stretch(merged, delta);
    return true;
  }

 private:
  Variable updated(Context& context, const Variable& x, Variable y) {
    if (parts_.bias != nullptr) y = add_bias(context, y, *parts_.bias, parts_.scale);
    if (parts_.first_a == nullptr) {
      return lora(context, std::move(y), x, *parts_.a, *parts_.b, parts_.scale, parts_.trained);
    }
    // The difference is taken before it is added, so that equal factors give zero, bit for bit.
    Variable now =
        lora(context, nothing(context, y), x, *parts_.a, *parts_.b, parts_.scale, parts_.trained);
    Variable first = lora(context, nothing(context, y), x, *parts_.first_a, *parts_.first_b,
                          parts_.scale, {.a = false, .b = false});
    return add(context, y, add_scaled(context, now, first, -1.0));
  }

  // y + g(x) (B A read + b)
  Variable gated(Context& context, const Variable& x, const Variable& read, const Variable& y) {
    Variable z = updated(context, read, nothing(context, y));
    return add(context, y, parts_.gate->apply(context, x, z));
  }

  static Variable nothing(Context& context, const Variable& like) {
    DType full = context.dtype(Precision::kFull);
    return context.tape.constant(Tensor::zeros(like.shape(), full, &context.arena),
                                 like.row_space());
  }

  Variable stretched(Context& context, const LinearSite& module, const Variable& y) {
    Tensor lengths = norm_->lengths(context, module.weight);
    return rescale(context, y, *parts_.magnitude, module.weight.bias(), lengths);
  }

  // s (B A - B0 A0)
  Tensor update() const {
    Tensor delta =
        Tensor::empty({parts_.b->shape()[0], parts_.a->shape()[1]}, parts_.a->value().dtype());
    with_real(delta.dtype(), [&](auto zero) {
      using T = decltype(zero);
      auto scale = static_cast<T>(parts_.scale);
      auto sum = matrix<T>(delta);
      sum.noalias() =
          scale * const_matrix<T>(parts_.b->value()) * const_matrix<T>(parts_.a->value());
      if (parts_.first_a == nullptr) return;
      sum.noalias() -= scale * const_matrix<T>(parts_.first_b->value()) *
                       const_matrix<T>(parts_.first_a->value());
    });
    return delta;
  }

  // Rows by m / n, and what the adapters before this one added to the bias, too.
  void stretch(MergedTensors& merged, const Tensor& delta) const {
    Tensor own = out_by_in(site_).to(DType::kF64), wide = delta.to(DType::kF64);
    kernels::add_in_place(out(own), in(wide), own.count());
    Tensor squares = row_squares(own);
    kernels::Input magnitude = in(parts_.magnitude->value());
    int64_t width = own.dim(1);
    for (int64_t i = 0; i < squares.count(); ++i) {
      double factor = magnitude.load<double>(i) / std::sqrt(squares.data<double>()[i]);
      for (int64_t k = i * width; k < (i + 1) * width; ++k)
        out(merged.weight).store(k, factor * in(merged.weight).load<double>(k));
      if (!merged.bias.defined()) continue;
      double centre = site_.bias.defined() ? in(site_.bias).load<double>(i) : 0.0;
      out(merged.bias).store(i, centre + factor * (in(merged.bias).load<double>(i) - centre));
    }
  }

  const Site& site_;
  LowRankParts parts_;
  std::optional<DoraNorm> norm_;
};

}  // namespace

std::unique_ptr<SiteHook> make_low_rank_hook(const Site& site, const LowRankParts& parts) {
  return std::make_unique<LowRankHook>(site, parts);
}

}  // namespace inlay
