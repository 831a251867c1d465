// A site: a named place in a base where adapters attach, under its Hugging Face module name.
// Families describe their sites and run them; methods implement the hooks of the site kinds they
// take. Neither knows the other: this header is all they share.
//
//   family:   y = linear_site(context, attention.query, x, Precision::kCompute);
//   method:   class LoraHook : public SiteHook { Variable linear(...) override { return
//   lora(context, y, x, ...); } };
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/op_context.h"
#include "autograd/ops/linear.h"

namespace inlay {

struct Context;
struct LinearSite;

enum class SiteKind { kLinear, kHidden, kNorm, kEmbedding, kParameter };
enum class SiteRole {
  kOther,
  kQuery,
  kKey,
  kValue,
  kAttentionOutput,
  kUp,
  kDown,
  kPooler,
  kAttentionBlock,    // kHidden: the output of attention, before it joins the residual
  kFeedForwardBlock,  // kHidden: the output of the feed-forward part
  kLayerOutput,       // kHidden: what a layer hands to the next
  kEmbeddingOutput,   // kHidden: what the first layer reads
  kMaskedLm,          // of the base's own masked-LM head
};

std::string_view site_kind_name(SiteKind kind);  // "linear"
std::string_view site_role_name(SiteRole role);  // "query"

struct Site {
  std::string name;  // "encoder.layer.0.attention.self.query", as in the bare base model
  SiteKind kind = SiteKind::kLinear;
  SiteRole role = SiteRole::kOther;
  int layer = -1;  // -1: outside the layers
  int64_t in = 0;
  int64_t out = 0;
  Tensor weight, bias;  // what the base holds here, as stored (gamma and beta of a norm); undefined
                        // for kHidden
  std::string adapterhub;  // kHidden: where AdapterHub keeps its bottlenecks,
                           // "encoder.layer.0.output.adapters"
  std::size_t index = 0;   // in the model's list of sites
};

// A norm whose residual a hidden block's output is added to; adapters may apply it themselves.
struct NormSite;

// What a hidden hook sees: one sub-layer of a transformer block with its surroundings. All (tokens,
// hidden).
// Embeddings and layers as a whole are seen by their output alone.
struct HiddenBlock {
  const Variable& input;     // what the sub-layer read
  const Variable& output;    // what it gave
  const Variable& residual;  // what its output is added to
  const NormSite* norm;      // applied to output + residual afterwards
};

// Trainable tensors that stand in for the base's at a site; null where the base's own is used.
struct Replacements {
  Parameter* weight = nullptr;
  Parameter* bias = nullptr;
};

// The tensors of a site on their way into a merged model: float32 or float64, owned.
struct MergedTensors {
  Tensor weight;  // (out, in) of a linear layer, (channels) of a norm, (rows, channels) of a table
  Tensor bias;    // undefined where the site has none
};

// One adapter at one site. Every hook defaults to leaving the base as it is.
class SiteHook {
 public:
  virtual ~SiteHook() = default;
  // What a linear layer reads instead of x (a rotation, a scaling); undefined: x itself.
  virtual Variable input(Context&, const Variable& /*x*/) { return {}; }
  // y is what the site gave so far for x; the result takes its place. y is consumed.
  virtual Variable linear(Context&, const LinearSite&, const Variable& /*x*/, Variable y) {
    return y;
  }
  // The addition to the block's output, without the residual; undefined for none.
  virtual Variable hidden(Context&, const HiddenBlock&) { return {}; }
  virtual Replacements replacements() { return {}; }
  // Changes the layer's own tensors so that it gives what hook and layer give together; false where
  // no tensors can do that.
  virtual bool merge(MergedTensors&) { return false; }
};

// An adapter as the base sees it: a hook per site index, null where it does nothing.
class SiteHooks {
 public:
  virtual ~SiteHooks() = default;
  virtual SiteHook* at(std::size_t site_index) = 0;
};

}  // namespace inlay
