#include "adapters/exchange/lora_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "adapters/exchange/module_names.h"
#include "base/error.h"

namespace inlay::exchange {
namespace {

constexpr std::size_t kNamesShown = 12;

int64_t count_of(const Tensor& tensor) { return tensor.defined() ? tensor.count() : 0; }

// What is wrong with a module, or nothing.
std::string problem_of(const LoraModule& module) {
  const Shape &a = module.a.shape(), &b = module.b.shape();
  bool fits = a.rank() == 2 && b.rank() == 2 && a[0] > 0 && a[1] > 0 && b[0] > 0 && a[0] == b[1];
  if (!fits) {
    return fmt::format("A has shape {} and B {}, where (rank, in) and (out, rank) are expected",
                       a.text(), b.text());
  }
  for (const Tensor* tensor : {&module.a, &module.b, &module.bias, &module.magnitude}) {
    if (tensor->defined() && !is_floating(tensor->dtype()))
      return fmt::format("a tensor is {}, not floating-point", dtype_name(tensor->dtype()));
  }
  for (const Tensor* vector : {&module.bias, &module.magnitude}) {
    if (vector->defined() && vector->shape() != Shape({module.out()}))
      return fmt::format("a vector has shape {} where ({}) is expected", vector->shape().text(),
                         module.out());
  }
  return "";
}

// The modules of one parent, "self_attn", in a list of layers: the layers that have any, and those
// that have each kind.
struct Family {
  std::string list;
  std::set<int64_t> layers;
  std::map<std::string, std::set<int64_t>> kinds;
};

std::map<std::string, Family> families_of(const std::vector<LoraModule>& modules) {
  std::map<std::string, Family> families;
  for (const LoraModule& module : modules) {
    std::optional<LayerPlace> place = layer_of(module.name);
    if (!place.has_value()) continue;
    std::string parent = place->rest.substr(0, place->rest.rfind('.'));
    Family& family = families[place->list + "/" + parent];
    family.list = place->list;
    family.layers.insert(place->layer);
    family.kinds[place->rest].insert(place->layer);
  }
  return families;
}

// From the first to the last, at the smallest distance that two neighbours have.
std::set<int64_t> evenly_spaced(const std::set<int64_t>& layers) {
  int64_t first = *layers.begin(), last = *layers.rbegin(),
          distance = std::max<int64_t>(last - first, 1);
  int64_t previous = -1;
  for (int64_t layer : layers) {
    if (previous >= 0) distance = std::min(distance, layer - previous);
    previous = layer;
  }
  std::set<int64_t> all = layers;
  for (int64_t layer = first; layer < last; layer += distance) all.insert(layer);
  return all;
}

}  // namespace

int64_t LoraModule::parameters() const {
  return count_of(a) + count_of(b) + count_of(bias) + count_of(magnitude);
}

bool LoraAdapter::dora() const { return !modules.empty() && modules.front().magnitude.defined(); }

int64_t LoraAdapter::parameters() const {
  int64_t count = 0;
  for (const LoraModule& module : modules) count += module.parameters();
  for (const NamedTensor& tensor : head) count += tensor.tensor.count();
  return count;
}

std::optional<double> LoraAdapter::common_scale() const {
  for (const LoraModule& module : modules) {
    if (module.scale != modules.front().scale) return std::nullopt;
  }
  return modules.front().scale;
}

std::optional<int64_t> LoraAdapter::common_rank() const {
  for (const LoraModule& module : modules) {
    if (module.rank() != modules.front().rank()) return std::nullopt;
  }
  return modules.front().rank();
}

void check_modules(const LoraAdapter& adapter, const std::string& where) {
  require(!adapter.modules.empty(), ErrorKind::kInput, "{}: there are no LoRA tensors", where);
  std::vector<std::string> problems;
  for (const LoraModule& module : adapter.modules) {
    std::string problem = problem_of(module);
    if (problem.empty() && module.magnitude.defined() != adapter.dora())
      problem = "some modules have DoRA's magnitude and some do not";
    if (!problem.empty()) problems.push_back(module.name + ": " + problem);
  }
  require(problems.empty(), ErrorKind::kInput, "{}: the tensors do not fit together: {}", where,
          listed(problems));
}

void check_complete(const std::vector<LoraModule>& modules, const std::vector<int64_t>& layers,
                    const std::string& where) {
  std::vector<std::string> missing;
  for (const auto& [parent, family] : families_of(modules)) {
    std::set<int64_t> expected(layers.begin(), layers.end());
    if (expected.empty()) expected = evenly_spaced(family.layers);
    for (const auto& [rest, present] : family.kinds) {
      for (int64_t layer : expected) {
        if (!present.contains(layer))
          missing.push_back(fmt::format("{}.{}.{}", family.list, layer, rest));
      }
    }
  }
  require(missing.empty(), ErrorKind::kInput, "{}: modules are missing that other layers have: {}",
          where, listed(missing));
}

std::string listed(const std::vector<std::string>& names) {
  std::size_t shown = std::min(names.size(), kNamesShown);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (shown < names.size()) text += fmt::format("; and {} more", names.size() - shown);
  return text;
}

}  // namespace inlay::exchange
