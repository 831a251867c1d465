#include "nn/site.h"

#include <array>

namespace inlay {
namespace {

constexpr std::array<std::string_view, 7> kKinds = {"linear",    "hidden",    "norm",  "embedding",
                                                    "parameter", "attention", "prompt"};
constexpr std::array<std::string_view, 14> kRoles = {"other",
                                                     "query",
                                                     "key",
                                                     "value",
                                                     "attention_output",
                                                     "up",
                                                     "down",
                                                     "pooler",
                                                     "attention_block",
                                                     "feed_forward_block",
                                                     "layer_output",
                                                     "embedding_output",
                                                     "input_embeddings",
                                                     "masked_lm"};

}  // namespace

std::string_view site_kind_name(SiteKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view site_role_name(SiteRole role) { return kRoles.at(static_cast<std::size_t>(role)); }

}  // namespace inlay
