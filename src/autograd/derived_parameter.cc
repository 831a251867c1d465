#include "autograd/derived_parameter.h"

#include <utility>

namespace inlay {

DerivedParameter::DerivedParameter(std::string name, std::vector<Parameter*> sources,
                                   Compute compute, Pull pull)
    : sources_(std::move(sources)),
      compute_(std::move(compute)),
      pull_(std::move(pull)),
      result_(std::move(name), Tensor()) {
  result_.made_by_ = this;
  bool trained = false;
  for (Parameter* source : sources_) {
    source->feeds_.push_back(this);
    trained = trained || !source->frozen();
  }
  if (!trained) result_.freeze();
}

std::vector<Tensor> DerivedParameter::values() const {
  std::vector<Tensor> values;
  values.reserve(sources_.size());
  for (Parameter* source : sources_) values.push_back(source->value());
  return values;
}

Parameter& DerivedParameter::current() {
  std::lock_guard<std::mutex> guard(lock_);
  std::vector<uint64_t> versions;
  versions.reserve(sources_.size());
  for (Parameter* source : sources_) {
    if (source->made_by_ != nullptr) source->made_by_->current();
    versions.push_back(source->version_);
  }
  if (versions == seen_) return result_;
  result_.replace(compute_(values()));
  seen_ = std::move(versions);
  return result_;
}

void DerivedParameter::pull() {
  Tensor grad = result_.take_gradient();
  if (!grad.defined()) return;
  std::vector<Tensor> grads = pull_(values(), grad);
  ensure(grads.size() == sources_.size(), "{} gave {} gradients for {} sources", result_.name(),
         grads.size(), sources_.size());
  for (std::size_t i = 0; i < grads.size(); ++i) {
    if (grads[i].defined() && !sources_[i]->frozen())
      sources_[i]->add_gradient(std::move(grads[i]));
  }
}

}  // namespace inlay
