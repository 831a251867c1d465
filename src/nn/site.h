// A site: a named place in a base where adapters attach, under its Hugging Face module name.
// Families describe their sites and run them; methods implement the hooks of the site kinds they
// take. Neither knows the other: this header is all they share.
//
//   family:   y = linear_site(context, attention.query, x, Precision::kCompute);
//   method:   class LoraHook : public SiteHook { Variable linear(...) override { return
//   lora(context, y, x, ...); } };
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "autograd/op_context.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/batch_norm.h"
#include "autograd/ops/conv.h"
#include "autograd/ops/linear.h"
#include "autograd/trained_rows.h"
#include "tensor/quantised/quantised_matrix.h"

namespace inlay {

struct Context;
struct LinearSite;
struct ConvSite;

enum class SiteKind {
  kLinear,
  kHidden,
  kNorm,
  kEmbedding,
  kParameter,  // a bare weight or bias, whose name is the site's
  kAttention,  // queries, keys and values of a layer, before its output projection
  kPrompt,     // where virtual tokens can stand among a text's own
  kConv,       // a convolution of maps
};
enum class SiteRole {
  kOther,
  kQuery,
  kKey,
  kValue,
  kAttentionOutput,
  kQueryKeyValue,  // one layer for all three
  kGate,           // of a gated feed-forward part
  kUp,             // with the gate where they are one layer
  kDown,
  kPooler,
  kAttentionBlock,    // kHidden: the output of attention, before it joins the residual
  kFeedForwardBlock,  // kHidden: the output of the feed-forward part
  kLayerOutput,       // kHidden: what a layer hands to the next
  kEmbeddingOutput,   // kHidden: what the first layer reads
  kInputEmbeddings,   // kPrompt: word embeddings, before positions and norm
  kMaskedLm,          // of the base's own masked-LM head
  kLanguageModel,     // the output projection of a language model
  kDepthwise,         // kConv: one filter a channel
  kPointwise,         // kConv: 1 x 1, a linear layer of places
  kPatchEmbedding,    // kConv: makes tokens of an image
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
  int64_t heads = 0, kv_heads = 0;  // kAttention, whose `in` is all queries of a token
  ConvShape conv = {};              // kConv
  int64_t at = 0;       // kPrompt: how many of an image's own tokens virtual ones are set behind
  Tensor weight, bias;  // what the base holds here, as stored (gamma and beta of a norm); undefined
                        // for kHidden
  Tensor mean, variance;   // of a batch norm: what it normalises by
  bool in_by_out = false;  // kLinear: the weight is stored (in, out), as GPT-2's Conv1D
  // kLinear: what stands in for the weight as stored, (out, in); null: nothing does.
  std::shared_ptr<const QuantisedMatrix> quantised;
  std::string adapterhub;  // kHidden: where AdapterHub keeps its bottlenecks,
                           // "encoder.layer.0.output.adapters"
  std::size_t index = 0;   // in the model's list of sites
};

// The weight of a site as (out, in), as it counts: as stored, or a copy where files hold it the
// other way round, or the numbers that a quantised one stands for, in float32.
Tensor out_by_in(const Site& site);
// `weight`, (out, in), as the site's files hold it.
Tensor as_stored(const Site& site, const Tensor& weight);

// Whether tensors of the base live here, which a copy can stand in for.
inline bool holds_tensors(const Site& site) {
  return site.kind != SiteKind::kHidden && site.kind != SiteKind::kAttention &&
         site.kind != SiteKind::kPrompt;
}

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

// The layer that makes keys or values, among `count` of its outputs from `first` on.
struct KeyValueProjection {
  const LinearSite& layer;
  int64_t first = 0, count = 0;
};

// What an attention hook sees. All (tokens, channels); keys and values may have fewer heads.
struct AttentionBlock {
  const Variable& input;  // what the projections read
  const Variable& query;
  const Variable& key;
  const Variable& value;
  KeyValueProjection key_projection;
  KeyValueProjection value_projection;
  const AttentionShape& shape;
};

// Virtual keys and values in the type of the block's: `count` rows for each of its examples.
struct AttentionPrefix {
  int64_t count = 0;  // 0: none
  Variable key, value;
};

// Virtual tokens: the rows (n, hidden) of a parameter, set before row `at` of every example.
struct VirtualTokens {
  Parameter* rows = nullptr;  // null: none
  int64_t at = 0;
};

// Statistics of a batch norm that an adapter keeps for its task: while training, a batch is
// normalised by its own and moves them; otherwise it is normalised by them.
struct BatchEstimates {
  Parameter* mean = nullptr;      // (channels), not trained by gradients
  Parameter* variance = nullptr;  // (channels), the unbiased one
  BatchStatistics seen;           // of the last batch that was trained on
};

// Trainable tensors that stand in for the base's at a site; null where the base's own is used.
struct Replacements {
  Parameter* weight = nullptr;
  Parameter* bias = nullptr;
  TrainedRows rows;                     // of a table, the others staying the base's
  BatchEstimates* estimates = nullptr;  // of a batch norm, in place of the base's mean and variance

  bool any() const {
    return weight != nullptr || bias != nullptr || rows.values != nullptr || estimates != nullptr;
  }
};

// The tensors of a site on their way into a merged model: float32 or float64, owned.
struct MergedTensors {
  // (out, in) of a linear layer, (out, in / groups, height, width) of a convolution, (channels) of
  // a norm, (rows, channels) of a table
  Tensor weight;
  Tensor bias;            // undefined where the site has none
  Tensor mean, variance;  // of a batch norm
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
  // The same of a convolution: x (places, in), y (places of its output, out).
  virtual Variable conv(Context&, const ConvSite&, const Variable& /*x*/, Variable y) { return y; }
  // The addition to the block's output, without the residual; undefined for none.
  virtual Variable hidden(Context&, const HiddenBlock&) { return {}; }
  // What hidden() took in, from what it gives: rows on their way into an output embedding that is
  // tied to the input's; undefined for h itself.
  virtual Variable inverse(Context&, const Variable& /*h*/) { return {}; }
  // Keys and values that every token of an example attends to beside the example's own.
  virtual AttentionPrefix prefix(Context&, const AttentionBlock&) { return {}; }
  // The addition to what attention gives, before its output projection; undefined for none.
  virtual Variable attention(Context&, const AttentionBlock&) { return {}; }
  virtual VirtualTokens virtual_tokens() { return {}; }
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
