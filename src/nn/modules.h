// The frozen modules of a base that are sites: each runs the base op, then the active adapters'
// hooks, gates and taps. With no adapter active nothing is added. Written once here, so that
// families and methods stay free of it.
#pragma once

#include "autograd/ops/activation.h"
#include "autograd/ops/embedding.h"
#include "nn/context.h"
#include "nn/site.h"

namespace inlay {

struct LinearSite {
  Site site;
  FrozenWeight weight;
};

// A convolution; its row space has a map.
struct ConvSite {
  Site site;
  FrozenConv conv;
  bool same = false;  // padded as TensorFlow's "SAME", whatever the map
};

enum class NormKind {
  kLayer,       // layer normalisation, with beta
  kBatch,       // (x - mean) / sqrt(variance + eps) * gamma + beta, by the statistics it has
  kRootSquare,  // x / sqrt(mean(x^2) + eps) * (gamma + offset)
};

struct NormSite {
  Site site;
  Tensor gamma, beta;   // F32, (channels)
  Tensor scale, shift;  // F32, (channels): kBatch as one factor and addend
  float eps = 1e-12f;
  NormKind kind = NormKind::kLayer;
  float offset = 0;
};

struct EmbeddingSite {
  Site site;  // its weight is the table: (rows, channels), as mapped
};

// A linear layer whose weight is an embedding's table, as a masked-LM decoder's; its bias is a bare
// parameter, with a site of its own, or null.
struct TiedLinear {
  const EmbeddingSite& table;
  const Site* bias;
  const FrozenWeight& weight;
};

// A place where a block's output can be adapted before it joins the residual.
struct HiddenSite {
  Site site;
};

// Self-attention of one layer: keys and values of every example before it mixes them.
struct SelfAttentionSite {
  Site site;
  AttentionShape shape;
};

// A place for virtual tokens.
struct PromptSite {
  Site site;
};

// x (rows, in) -> (rows, out).
Variable linear_site(Context& context, const LinearSite& module, const Variable& x,
                     Precision precision);

// x (places, in) -> (places of the output, out).
Variable conv_site(Context& context, const ConvSite& module, const Variable& x,
                   Precision precision);

// The shape of a convolution over this map, with its padding.
ConvShape shape_over(const ConvSite& module, MapSize map);

// The norm of x + residual; `residual` may be undefined, and is with kRootSquare and kBatch. (rows,
// channels), in full precision, a batch norm in the compute type.
Variable norm_site(Context& context, const NormSite& norm, const Variable& x,
                   const Variable& residual);

// A batch norm and an activation behind it, in the compute type.
Variable activated_norm_site(Context& context, const NormSite& norm, const Variable& x,
                             Activation then);

// Each head of queries or keys normalised by itself, in the compute type: x (rows, heads * D), a
// kRootSquare norm of D channels.
Variable head_norm_site(Context& context, const NormSite& norm, const Variable& x, int64_t heads);

// The block's output with what the adapters add to it.
Variable hidden_site(Context& context, const HiddenSite& hidden, const Variable& input,
                     Variable output, const Variable& residual, const NormSite& norm);

// The same where no norm follows the addition: its result is the residual of the next block.
Variable hidden_site(Context& context, const HiddenSite& hidden, const Variable& input,
                     Variable output, const Variable& residual);

// The same for what embeddings or a whole layer give: nothing is added to it afterwards.
Variable hidden_site(Context& context, const HiddenSite& hidden, Variable output);

// Takes back what the adapters of a hidden site do, the last of them first. A gate between 0 and 1
// blends h with what the inverse makes of it, as everywhere: h + gate (inverse(h) - h).
Variable inverse_site(Context& context, const HiddenSite& hidden, const Variable& h);

// Attention of every example to itself and to what adapters set before it, (tokens, channels) in
// the queries' type. A gate between 0 and 1 multiplies the weight of virtual keys.
Variable attention_site(Context& context, const SelfAttentionSite& attention,
                        const AttentionBlock& block);

// x with the virtual tokens of the adapters here, in a space of its own; x itself where there are
// none. What follows attends to them; a gate between 0 and 1 multiplies the weight they have there.
Variable prompt_site(Context& context, const PromptSite& prompt, const Variable& x);

// Whether an adapter may set virtual tokens here, among those of any example or of this one.
bool has_virtual_tokens(const Context& context, const PromptSite& prompt);
bool has_virtual_tokens(const Context& context, const PromptSite& prompt, int64_t example);

// What a table gave for `ids`, with the rows that active adapters train in their places; x itself
// where they train none. x (tokens, channels), full precision.
Variable embedding_site(Context& context, const EmbeddingSite& embedding, Variable x,
                        const std::vector<int32_t>& ids);

// Whether an adapter may train rows of this table.
bool has_trained_rows(const Context& context, const EmbeddingSite& embedding);

// A table as it counts now, for numbers that outlive the backward pass.
EmbeddingLookup table_lookup(Context& context, const EmbeddingSite& embedding,
                             const std::vector<int32_t>& ids);
// Its rows with what adapters train of them, (ids, channels), full precision.
Variable table_rows(Context& context, const EmbeddingSite& embedding,
                    const std::vector<int32_t>& ids, const RowSpace* rows);

// x (rows, channels) -> (rows, rows of the table), full precision. Whatever adapters train of the
// table counts here, too.
Variable tied_linear_site(Context& context, const TiedLinear& module, const Variable& x);

// The parameter that stands in for an embedding's table or for a bare weight or bias; null: the
// frozen one.
Parameter* embedding_replacement(Context& context, const EmbeddingSite& embedding);
Parameter* parameter_replacement(Context& context, const Site& parameter);

}  // namespace inlay
