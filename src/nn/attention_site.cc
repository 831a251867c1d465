// Places where adapters set virtual keys, values and tokens beside an example's own.
#include <algorithm>
#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/row_ops.h"
#include "nn/live_hooks.h"
#include "nn/modules.h"

namespace inlay {
namespace {

// The gate multiplies exp(score), so its logarithm is added to the score. REQUIRES: gate != 0.
float score_bias(const Site& site, float gate) {
  require(gate > 0, ErrorKind::kUsage, "the gate of {} is {}; virtual tokens take 0 or more",
          site.name, gate);
  return std::log(gate);
}

// What is added to the scores of the key at each place; undefined where nothing is. The examples of
// a segment have the same virtual rows at the same places, so the longest speaks for all.
Tensor key_bias_of(const OpContext& context, const RowSpace& keys) {
  auto changes = [](float bias) { return bias != 0; };
  if (std::none_of(keys.key_bias.begin(), keys.key_bias.end(), changes)) return {};
  std::size_t longest = 0;
  auto length = [&](std::size_t i) {
    return keys.example_offsets[i + 1] - keys.example_offsets[i];
  };
  for (std::size_t i = 1; i + 1 < keys.example_offsets.size(); ++i) {
    if (length(i) > length(longest)) longest = i;
  }
  const float* first = keys.key_bias.data() + keys.example_offsets[longest];
  Tensor bias =
      Tensor::of<float>({length(longest)}, {first, static_cast<std::size_t>(length(longest))});
  return bias.to(context.dtype(Precision::kFull));
}

Variable adapted_attention(Context& context, const Site& site,
                           const std::vector<ActiveAdapter>& adapters,
                           const AttentionBlock& block) {
  Variable key = block.key, value = block.value;
  int64_t count = 0;
  for_each_hook(adapters, site, [&](LiveHook live) {
    AttentionPrefix prefix = live.hook->prefix(context, block);
    if (prefix.count == 0) return;
    const RowSpace* rows =
        context.grown(*key.row_space(), prefix.count, count, score_bias(site, live.gate));
    key = insert_rows(context, key, prefix.key, count, rows);
    value = insert_rows(context, value, prefix.value, count, rows);
    count += prefix.count;
  });
  AttentionShape shape = block.shape;
  shape.key_bias = key_bias_of(context, *key.row_space());
  Variable y =
      inlay::attention(context, block.query, key, value, block.query.row_space()->example_offsets,
                       key.row_space()->example_offsets, shape);
  for_each_hook(adapters, site, [&](LiveHook live) {
    Variable added = live.hook->attention(context, block);
    if (added.defined()) y = add_scaled(context, y, added, live.gate);
  });
  return y;
}

// x with the virtual tokens of these adapters.
Variable prompted(Context& context, const Site& site, const std::vector<ActiveAdapter>& adapters,
                  Variable x) {
  for_each_hook(adapters, site, [&](LiveHook live) {
    VirtualTokens tokens = live.hook->virtual_tokens();
    if (tokens.rows == nullptr) return;
    int64_t count = tokens.rows->shape()[0];
    const RowSpace* space = x.row_space();
    Variable rows =
        repeat_rows(context, *tokens.rows, Precision::kFull, context.virtual_rows(*space, count));
    x = insert_rows(context, x, rows, tokens.at,
                    context.grown(*space, count, tokens.at, score_bias(site, live.gate)));
  });
  return x;
}

}  // namespace

Variable attention_site(Context& context, const SelfAttentionSite& attention,
                        const AttentionBlock& block) {
  const RowSpace& queries = *block.query.row_space();
  const RowSpace& keys = *block.key.row_space();
  if (!any_adapter(context, attention.site) && keys.key_bias.empty()) {
    return tapped(context, attention.site,
                  inlay::attention(context, block.query, block.key, block.value,
                                   queries.example_offsets, keys.example_offsets, attention.shape));
  }
  Variable y = for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& query, const Variable& key,
          const Variable& value, const Variable& input) {
        return adapted_attention(context, attention.site, adapters,
                                 {input, query, key, value, block.key_projection,
                                  block.value_projection, attention.shape});
      },
      block.query, block.key, block.value, block.input);
  return tapped(context, attention.site, std::move(y));
}

bool has_virtual_tokens(const Context& context, const PromptSite& prompt) {
  return any_adapter(context, prompt.site);
}

bool has_virtual_tokens(const Context& context, const PromptSite& prompt, int64_t example) {
  if (context.segments.empty()) return any_adapter(context, prompt.site);
  bool any = false;
  for (const Segment& segment : context.segments) {
    if (example < segment.first_example || example >= segment.last_example) continue;
    for_each_hook(segment.adapters, prompt.site, [&](LiveHook) { any = true; });
  }
  return any;
}

Variable prompt_site(Context& context, const PromptSite& prompt, const Variable& x) {
  if (!any_adapter(context, prompt.site)) return x;
  if (context.segments.empty())
    return tapped(context, prompt.site, prompted(context, prompt.site, context.adapters, x));
  std::vector<Variable> parts;
  check_segments(context, *x.row_space());
  for (const Segment& segment : context.segments) {
    Variable part = segment_rows(context, x, segment);
    parts.push_back(prompted(context, prompt.site, segment.adapters, std::move(part)));
  }
  return tapped(context, prompt.site, concat_rows(context, parts, context.joined(parts)));
}

}  // namespace inlay
