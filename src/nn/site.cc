#include "nn/site.h"

#include <array>
#include <cstring>

namespace inlay {
namespace {

constexpr std::array<std::string_view, 7> kKinds = {"linear",    "hidden",    "norm",  "embedding",
                                                    "parameter", "attention", "prompt"};
constexpr std::array<std::string_view, 17> kRoles = {"other",
                                                     "query",
                                                     "key",
                                                     "value",
                                                     "attention_output",
                                                     "query_key_value",
                                                     "gate",
                                                     "up",
                                                     "down",
                                                     "pooler",
                                                     "attention_block",
                                                     "feed_forward_block",
                                                     "layer_output",
                                                     "embedding_output",
                                                     "input_embeddings",
                                                     "masked_lm",
                                                     "language_model"};

Tensor transposed(const Tensor& matrix) {
  int64_t rows = matrix.dim(0), columns = matrix.dim(1);
  std::size_t size = dtype_size(matrix.dtype());
  Tensor turned = Tensor::empty({columns, rows}, matrix.dtype());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      std::memcpy(turned.mutable_raw() + static_cast<std::size_t>(c * rows + r) * size,
                  matrix.raw() + static_cast<std::size_t>(r * columns + c) * size, size);
    }
  }
  return turned;
}

}  // namespace

Tensor out_by_in(const Site& site) {
  if (site.quantised != nullptr) return site.quantised->dequantised(DType::kF32);
  return site.in_by_out ? transposed(site.weight) : site.weight;
}

Tensor as_stored(const Site& site, const Tensor& weight) {
  return site.in_by_out && weight.defined() ? transposed(weight) : weight;
}

std::string_view site_kind_name(SiteKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view site_role_name(SiteRole role) { return kRoles.at(static_cast<std::size_t>(role)); }

}  // namespace inlay
