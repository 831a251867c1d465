// Makes the sites of a base from the tensors of its files, with the facts that every kind needs.
//
//   SiteMaker make(weights, hidden);
//   LinearSite query = make.linear("layers.0.self_attn.q_proj", SiteRole::kQuery, 0, {.in = 64,
//   .out = 64});
#pragma once

#include <string>

#include "models/weight_source.h"
#include "nn/modules.h"

namespace inlay {

class SiteMaker {
 public:
  // `hidden` channels of the residual stream. `weights` must outlive this.
  SiteMaker(WeightSource& weights, int64_t hidden) : weights_(weights), hidden_(hidden) {}

  int64_t hidden_size() const { return hidden_; }
  // `layer` is -1 outside the layers, here and below.
  LinearSite linear(const std::string& name, SiteRole role, int layer, const LinearForm& form);
  ConvSite conv(const std::string& name, SiteRole role, int layer, const ConvForm& form);
  // Of `channels`, which the hidden size may not be.
  NormSite norm(const std::string& name, int layer, int64_t channels, const NormForm& form);
  EmbeddingSite embedding(const std::string& name, int64_t rows);
  // A tensor of `channels` that is `name` itself, without a module.
  Site parameter(const std::string& name, int layer, int64_t channels);
  // `adapterhub` is where AdapterHub keeps its modules for this place.
  HiddenSite hidden(const std::string& name, const std::string& adapterhub, SiteRole role,
                    int layer) const;
  PromptSite prompt(const std::string& name, SiteRole role) const;
  // Named after the module that `projection` is a part of.
  SelfAttentionSite attention(const std::string& projection, int layer, int64_t head_dim,
                              const AttentionShape& shape) const;

 private:
  WeightSource& weights_;
  int64_t hidden_;
};

// "encoder.layer.{}." with the number of a layer in place of {}.
std::string layer_prefix(const std::string& pattern, int number);

}  // namespace inlay
