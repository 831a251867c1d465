#include "adapters/delta_hook.h"

#include <utility>

#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/linear.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

class DeltaHook : public SiteHook {
 public:
  DeltaHook(DerivedParameter& delta, double dropout, std::string stream)
      : delta_(delta), dropout_(dropout), stream_(std::move(stream)) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    Variable read = inlay::dropout(context, x, dropout_, stream_);
    Variable update = inlay::linear(context, read, {.weight = &delta_.current()}, Precision::kFull);
    return add_scaled(context, y, update, 1.0f);
  }

  bool merge(MergedTensors& merged) override {
    merge_delta(merged, delta_.current().value());
    return true;
  }

 private:
  DerivedParameter& delta_;
  double dropout_;
  std::string stream_;
};

}  // namespace

std::unique_ptr<SiteHook> make_delta_hook(DerivedParameter& delta, double dropout,
                                          std::string stream) {
  return std::make_unique<DeltaHook>(delta, dropout, std::move(stream));
}

void merge_delta(MergedTensors& merged, const Tensor& delta) {
  ensure(delta.shape() == merged.weight.shape(), "an update of shape {} for a weight of shape {}",
         delta.shape().text(), merged.weight.shape().text());
  Tensor update = delta.to(merged.weight.dtype());
  kernels::add_in_place(out(merged.weight), in(update), update.count());
}

}  // namespace inlay
