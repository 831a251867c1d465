#include "adapters/exchange/tensor_pile.h"

#include <fmt/format.h>

#include "adapters/exchange/lora_adapter.h"
#include "base/error.h"
#include "formats/tensor_map.h"

namespace inlay::exchange {
TensorPile TensorPile::open(const std::filesystem::path& path) {
  TensorPile pile;
  pile.where_ = path.string();
  pile.tensors_ = read_tensors(path);
  return pile;
}

TensorPile TensorPile::open_first(const std::filesystem::path& folder,
                                  const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::filesystem::exists(folder / name)) return open(folder / name);
  }
  fail(ErrorKind::kInput, "{}: no file with the adapter's tensors; expected {}", folder.string(),
       fmt::join(names, " or "));
}

std::vector<std::string> TensorPile::names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

std::set<std::string> TensorPile::stems(const std::string& end) const {
  std::set<std::string> stems;
  for (const auto& [name, tensor] : tensors_) {
    if (name.ends_with(end)) stems.insert(name.substr(0, name.size() - end.size()));
  }
  return stems;
}

Tensor TensorPile::take(const std::string& name) {
  Tensor tensor = take_if_any(name);
  if (!tensor.defined()) problems_.push_back(name + " is missing");
  return tensor;
}

Tensor TensorPile::take_if_any(const std::string& name) {
  auto found = tensors_.find(name);
  if (found == tensors_.end()) return {};
  Tensor tensor = found->second;
  tensors_.erase(found);
  return tensor;
}

void TensorPile::finish(const std::string& format) {
  for (const auto& [name, tensor] : tensors_)
    problems_.push_back(fmt::format("{} is no tensor of {}", name, format));
  require(problems_.empty(), ErrorKind::kInput, "{}: {}", where_, listed(problems_));
}

}  // namespace inlay::exchange
