#include "adapters/strict_tensors.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>

#include "formats/tensor_map.h"

namespace inlay {
namespace {

constexpr std::size_t kProblemsShown = 12;

}  // namespace

StrictTensors StrictTensors::open(const std::filesystem::path& path) {
  StrictTensors tensors;
  tensors.where_ = path.string();
  tensors.tensors_ = read_tensors(path);
  return tensors;
}

bool StrictTensors::any_under(const std::string& beginning) const {
  auto found = tensors_.lower_bound(beginning);
  return found != tensors_.end() && found->first.starts_with(beginning);
}

int64_t StrictTensors::outputs_of(const std::string& name, int64_t inputs) const {
  auto found = tensors_.find(name);
  require(found != tensors_.end(), ErrorKind::kInput,
          "{}: tensor {} of the head is missing; save the adapter together with its head", where_,
          name);
  const Shape& shape = found->second.shape();
  require(shape.rank() == 2 && shape[0] > 0 && shape[1] == inputs, ErrorKind::kInput,
          "{}: {} has shape {}; expected (outputs, {})", where_, name, shape.text(), inputs);
  return shape[0];
}

void StrictTensors::fill(const std::string& name, Parameter& parameter, const Shape& shape) {
  auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    problems_.push_back(fmt::format("{} is missing", name));
    return;
  }
  used_.insert(name);
  Tensor tensor = found->second;
  if (tensor.shape() != shape) {
    problems_.push_back(fmt::format("{} has shape {} where {} is expected", name,
                                    tensor.shape().text(), shape.text()));
    return;
  }
  if (shape != parameter.shape()) tensor = tensor.reshaped(parameter.shape());
  if (!is_floating(parameter.value().dtype())) {
    bool same = tensor.dtype() == parameter.value().dtype();
    if (same) parameter.set_value(tensor.clone());
    if (!same) {
      problems_.push_back(fmt::format("{} is {} where {} is expected", name,
                                      dtype_name(tensor.dtype()),
                                      dtype_name(parameter.value().dtype())));
    }
  } else if (!is_floating(tensor.dtype())) {
    problems_.push_back(fmt::format("{} is {} where floating-point numbers are expected", name,
                                    dtype_name(tensor.dtype())));
  } else {
    parameter.set_value(tensor.to(DType::kF32));
  }
}

void StrictTensors::drop_copies(const std::function<std::string(const std::string&)>& other_name) {
  for (auto at = tensors_.begin(); at != tensors_.end();) {
    std::string other = other_name(at->first);
    auto found = other.empty() ? tensors_.end() : tensors_.find(other);
    bool copy = found != tensors_.end() && found->second.dtype() == at->second.dtype() &&
                found->second.shape() == at->second.shape() &&
                std::memcmp(found->second.raw(), at->second.raw(), at->second.byte_count()) == 0;
    at = copy ? tensors_.erase(at) : std::next(at);
  }
}

void StrictTensors::finish() {
  for (const auto& [name, tensor] : tensors_) {
    if (!used_.contains(name)) problems_.push_back(fmt::format("{} is not used", name));
  }
  if (problems_.empty()) return;
  std::size_t shown = std::min(problems_.size(), kProblemsShown);
  std::string list = fmt::format(
      "{}",
      fmt::join(problems_.begin(), problems_.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (shown < problems_.size()) list += fmt::format("; and {} more", problems_.size() - shown);
  fail(ErrorKind::kInput,
       "{}: the tensors do not fit the adapter's configuration and this base: {}", where_, list);
}

}  // namespace inlay
