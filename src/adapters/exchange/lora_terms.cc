#include "adapters/exchange/lora_terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "adapters/exchange/module_names.h"
#include "base/error.h"

namespace inlay::exchange {
namespace {

constexpr int64_t kMaxFilledLayers = 1024;

// A product in float32 and the largest relative rounding error in it.
struct Product {
  Tensor tensor;
  double error = 0;
};

Product times(const Tensor& tensor, double factor) {
  Tensor wide = tensor.to(DType::kF64);
  Product product{Tensor::empty(wide.shape(), DType::kF32)};
  const auto* src = wide.data<double>();
  auto* dst = product.tensor.mutable_data<float>();
  for (int64_t i = 0; i < wide.count(); ++i) {
    double exact = src[i] * factor;
    dst[i] = static_cast<float>(exact);
    if (exact != 0)
      product.error = std::max(product.error, std::fabs(dst[i] - exact) / std::fabs(exact));
  }
  return product;
}

// `tensor` times factor, in its own dtype where that is exact.
double multiply(Tensor& tensor, double factor) {
  if (!tensor.defined()) return 0;
  Product product = times(tensor, factor);
  Tensor narrow = product.tensor.to(tensor.dtype());
  Tensor back = narrow.to(DType::kF32);
  bool same = tensor.dtype() != DType::kF64 &&
              std::memcmp(back.raw(), product.tensor.raw(), back.byte_count()) == 0;
  tensor = same ? narrow : product.tensor;
  return product.error;
}

// Rows `from` of a matrix of bytes into the wider or longer `to`, the rest zero.
Tensor enlarged(const Tensor& tensor, int64_t rows, int64_t columns) {
  Tensor larger = Tensor::zeros({rows, columns}, tensor.dtype());
  std::size_t element = dtype_size(tensor.dtype());
  std::size_t from = static_cast<std::size_t>(tensor.dim(1)) * element;
  std::size_t to = static_cast<std::size_t>(columns) * element;
  for (std::size_t row = 0; row < static_cast<std::size_t>(tensor.dim(0)); ++row)
    std::memcpy(larger.mutable_raw() + row * to, tensor.raw() + row * from, from);
  return larger;
}

bool by_name(const LoraModule& x, const LoraModule& y) { return x.name < y.name; }

// What a format has one of for all modules, and the scale that it gives one of them.
struct OneForAll {
  const char* name;
  double value;
  double (*scale_of)(double value, const LoraModule& module);
};

void fold(LoraAdapter& adapter, const OneForAll& one, Rounding rounding,
          const std::string& format) {
  std::vector<std::string> folded, rounded;
  double error = 0;
  for (LoraModule& module : adapter.modules) {
    const double scale = one.scale_of(one.value, module);
    if (module.scale == scale) continue;
    double factor = module.scale / scale;
    double here = std::max(multiply(module.b, factor), multiply(module.bias, factor));
    // The quotient itself may be rounded, too.
    if (std::fma(factor, scale, -module.scale) != 0) here = std::max(here, 0x1p-53);
    std::string text = fmt::format("{} (scale {})", module.name, module.scale);
    (here > 0 ? rounded : folded).push_back(text);
    error = std::max(error, here);
    module.scale = scale;
  }
  require(std::isfinite(error), ErrorKind::kInput,
          "{} has one {}, here {}, for all modules; with the other scales in it B would pass the "
          "range of float32 in {}",
          format, one.name, one.value, listed(rounded));
  require(rounded.empty() || rounding == Rounding::kAllow, ErrorKind::kInput,
          "{} has one {}, here {}, for all modules; other scales go into B, which would be "
          "rounded (relative error up to {:.1e}) for {}. --allow-rounding accepts that",
          format, one.name, one.value, error, listed(rounded));
  if (!folded.empty()) {
    adapter.notes.push_back(fmt::format("{} has one {}: {} folded into B exactly, as {}", format,
                                        one.name, listed(folded), one.value));
  }
  if (!rounded.empty()) {
    adapter.notes.push_back(fmt::format(
        "{} has one {}: {} folded into B as {} and rounded, relative error up to {:.1e}", format,
        one.name, listed(rounded), one.value, error));
  }
}

// The value that most modules have, of those that are not 0.
double usual(const LoraAdapter& adapter, double (*value_of)(const LoraModule&)) {
  std::map<double, int64_t> counts;
  for (const LoraModule& module : adapter.modules) {
    if (module.scale != 0) ++counts[value_of(module)];
  }
  if (counts.empty()) return 0;
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& x, const auto& y) { return x.second < y.second; })
      ->first;
}

}  // namespace

void fold_scales(LoraAdapter& adapter, double scale, Rounding rounding, const std::string& format) {
  auto itself = [](double value, const LoraModule&) { return value; };
  fold(adapter, {"scale", scale, itself}, rounding, format);
}

void fold_alphas(LoraAdapter& adapter, double alpha, Rounding rounding, const std::string& format) {
  auto over_rank = [](double value, const LoraModule& module) {
    return value / static_cast<double>(module.rank());
  };
  fold(adapter, {"alpha", alpha, over_rank}, rounding, format);
}

double usual_scale(const LoraAdapter& adapter) {
  return usual(adapter, [](const LoraModule& module) { return module.scale; });
}

double usual_alpha(const LoraAdapter& adapter) {
  return usual(adapter,
               [](const LoraModule& module) { return alpha_for(module.scale, module.rank()); });
}

void pad_ranks(LoraAdapter& adapter) {
  if (adapter.common_rank().has_value()) return;
  int64_t rank = 0;
  for (const LoraModule& module : adapter.modules) rank = std::max(rank, module.rank());
  std::vector<std::string> padded;
  for (LoraModule& module : adapter.modules) {
    if (module.rank() == rank) continue;
    padded.push_back(fmt::format("{} (rank {})", module.name, module.rank()));
    module.a = enlarged(module.a, rank, module.in());
    module.b = enlarged(module.b, module.out(), rank);
  }
  adapter.notes.push_back(
      fmt::format("padded with zeros to rank {}, without effect: {}", rank, listed(padded)));
}

std::pair<int64_t, int64_t> layer_range(const LoraAdapter& adapter) {
  std::pair<int64_t, int64_t> range{0, -1};
  for (const LoraModule& module : adapter.modules) {
    auto place = layer_of(module.name);
    if (!place.has_value()) continue;
    bool first = range.second < 0;
    range.first = first ? place->layer : std::min(range.first, place->layer);
    range.second = std::max(range.second, place->layer);
  }
  return range;
}

void fill_layers(LoraAdapter& adapter, int64_t first, int64_t last, const std::string& format) {
  require(last - first < kMaxFilledLayers, ErrorKind::kInput,
          "{} adapts the same modules in all layers, and layers {} to {} are more than {}", format,
          first, last, kMaxFilledLayers);
  std::set<std::string> present;
  std::map<std::string, const LoraModule*> kinds;  // by the name with {} for the layer
  for (const LoraModule& module : adapter.modules) {
    present.insert(module.name);
    if (auto place = layer_of(module.name)) kinds[place->list + ".{}." + place->rest] = &module;
  }
  std::vector<LoraModule> added;
  std::vector<std::string> names;
  for (const auto& [kind, like] : kinds) {
    std::size_t at = kind.find("{}");
    Tensor a = Tensor::zeros(like->a.shape(), like->a.dtype()),
           b = Tensor::zeros(like->b.shape(), like->b.dtype());
    for (int64_t layer = first; layer <= last; ++layer) {
      std::string name = kind.substr(0, at) + std::to_string(layer) + kind.substr(at + 2);
      if (present.contains(name)) continue;
      names.push_back(name);
      added.push_back({.name = name, .a = a, .b = b, .scale = like->scale});
    }
  }
  if (names.empty()) return;
  require(
      !adapter.dora(), ErrorKind::kInput,
      "{} adapts the same modules in all layers; DoRA's magnitudes of the others would need the "
      "base: {}",
      format, listed(names));
  adapter.notes.push_back(
      fmt::format("{} adapts the same modules in all layers; zeros, without "
                  "effect, for {}",
                  format, listed(names)));
  adapter.modules.insert(adapter.modules.end(), added.begin(), added.end());
  std::sort(adapter.modules.begin(), adapter.modules.end(), by_name);
}

double alpha_for(double scale, int64_t rank) {
  auto r = static_cast<double>(rank);
  double alpha = scale * r;
  if (std::round(alpha) / r == scale) return std::round(alpha);
  for (double near : {alpha, std::nextafter(alpha, 0.0), std::nextafter(alpha, INFINITY)}) {
    if (near / r == scale) return near;
  }
  return alpha;
}

}  // namespace inlay::exchange
