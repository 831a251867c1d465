#include "train/optimizer.h"

#include <cmath>
#include <utility>

#include "autograd/operands.h"
#include "formats/saved_tensor.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/norm_square.h"
#include "tensor/kernels/optimizer.h"

namespace inlay {

Optimizer::Optimizer(OptimizerOptions options, const std::vector<OptimizerGroup>& groups)
    : options_(std::move(options)) {
  for (const OptimizerGroup& group : groups) {
    for (Parameter* parameter : group.parameters) {
      Slot slot{parameter, group.learning_rate, Tensor::zeros(parameter->shape(), DType::kF32),
                Tensor()};
      if (options_.name == "adamw") slot.second = Tensor::zeros(parameter->shape(), DType::kF32);
      slots_.push_back(std::move(slot));
    }
  }
}

double Optimizer::step(double factor, double clip, GradientListener* listener) {
  gradients_.clear();
  double square = 0;
  for (Slot& slot : slots_) {
    Tensor& gradient = gradients_.emplace_back(slot.parameter->take_gradient());
    if (!gradient.defined()) continue;
    double own = kernels::norm_square(in(gradient), gradient.count());
    require(
        std::isfinite(own), ErrorKind::kInput,
        "the gradient of {} is not finite at step {}; use a smaller learning rate, or compute=f32",
        slot.parameter->name(), steps_ + 1);
    square += own;
  }
  double norm = std::sqrt(square);
  ++steps_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Tensor& gradient = gradients_[i];
    Slot& slot = slots_[i];
    if (!gradient.defined()) continue;
    if (clip > 0 && norm > clip)
      kernels::scale(in(gradient), clip / norm, out(gradient), gradient.count());
    if (listener != nullptr) listener->gradient(*slot.parameter, gradient);
    Tensor& value = slot.parameter->mutable_value();
    double decay = value.shape().rank() >= 2 ? options_.weight_decay : 0.0;
    if (options_.name == "adamw") {
      kernels::adamw_update(
          {.learning_rate = factor * slot.learning_rate, .weight_decay = decay, .step = steps_},
          {.count = value.count(),
           .grad = in(gradient),
           .param = out(value),
           .m = out(slot.first),
           .v = out(slot.second)});
    } else {
      kernels::sgd_update({.learning_rate = factor * slot.learning_rate,
                           .momentum = options_.momentum,
                           .weight_decay = decay},
                          {.count = value.count(),
                           .grad = in(gradient),
                           .param = out(value),
                           .velocity = out(slot.first)});
    }
    slot.parameter->changed();
    gradient = Tensor();
  }
  return norm;
}

std::vector<NamedTensor> Optimizer::state() const {
  std::vector<NamedTensor> tensors;
  for (const Slot& slot : slots_) {
    tensors.push_back({"m." + slot.parameter->name(), slot.first});
    if (slot.second.defined()) tensors.push_back({"v." + slot.parameter->name(), slot.second});
  }
  return tensors;
}

void Optimizer::restore(int64_t steps, const SafetensorsFile& file) {
  steps_ = steps;
  for (Slot& slot : slots_) {
    const std::string& name = slot.parameter->name();
    const Shape& shape = slot.parameter->shape();
    slot.first = saved_tensor(file, "m." + name, shape);
    if (slot.second.defined()) slot.second = saved_tensor(file, "v." + name, shape);
  }
}

}  // namespace inlay
