#include "models/site_maker.h"

#include <utility>

namespace inlay {

LinearSite SiteMaker::linear(const std::string& name, SiteRole role, int layer,
                             const LinearForm& form) {
  Site site{.name = name, .kind = SiteKind::kLinear, .role = role, .layer = layer};
  FrozenWeight weight = weights_.take_linear(name, form, site);
  return {std::move(site), std::move(weight)};
}

ConvSite SiteMaker::conv(const std::string& name, SiteRole role, int layer, const ConvForm& form) {
  Site site{.name = name, .kind = SiteKind::kConv, .role = role, .layer = layer};
  FrozenConv weight = weights_.take_conv(name, form, site);
  return {std::move(site), std::move(weight), form.same};
}

NormSite SiteMaker::norm(const std::string& name, int layer, int64_t channels,
                         const NormForm& form) {
  NormSite norm;
  norm.site = {.name = name, .kind = SiteKind::kNorm, .layer = layer};
  weights_.take_norm(name, channels, form, norm);
  return norm;
}

EmbeddingSite SiteMaker::embedding(const std::string& name, int64_t rows) {
  Site site{.name = name, .kind = SiteKind::kEmbedding, .in = rows, .out = hidden_};
  site.weight = weights_.take(name + ".weight", {rows, hidden_});
  return {std::move(site)};
}

Site SiteMaker::parameter(const std::string& name, int layer, int64_t channels) {
  Site site{
      .name = name, .kind = SiteKind::kParameter, .layer = layer, .in = channels, .out = channels};
  site.weight = weights_.take(name, {channels});
  return site;
}

HiddenSite SiteMaker::hidden(const std::string& name, const std::string& adapterhub, SiteRole role,
                             int layer) const {
  return {{.name = name,
           .kind = SiteKind::kHidden,
           .role = role,
           .layer = layer,
           .in = hidden_,
           .out = hidden_,
           .adapterhub = adapterhub}};
}

PromptSite SiteMaker::prompt(const std::string& name, SiteRole role) const {
  return {{.name = name, .kind = SiteKind::kPrompt, .role = role, .in = hidden_, .out = hidden_}};
}

SelfAttentionSite SiteMaker::attention(const std::string& projection, int layer, int64_t head_dim,
                                       const AttentionShape& shape) const {
  int64_t channels = shape.heads * head_dim;
  return {{.name = projection.substr(0, projection.rfind('.')),
           .kind = SiteKind::kAttention,
           .layer = layer,
           .in = channels,
           .out = channels,
           .heads = shape.heads,
           .kv_heads = shape.kv_heads},
          shape};
}

std::string layer_prefix(const std::string& pattern, int number) {
  std::size_t place = pattern.find("{}");
  return pattern.substr(0, place) + std::to_string(number) + pattern.substr(place + 2);
}

}  // namespace inlay
