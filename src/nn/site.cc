#include "nn/site.h"

#include <array>

#include "tensor/transposed.h"

namespace inlay {
namespace {

constexpr std::array<std::string_view, 8> kKinds = {"linear",    "hidden",    "norm",   "embedding",
                                                    "parameter", "attention", "prompt", "conv"};
constexpr std::array<std::string_view, 20> kRoles = {"other",
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
                                                     "language_model",
                                                     "depthwise",
                                                     "pointwise",
                                                     "patch_embedding"};

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
