#include "nn/modules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "autograd/ops/add.h"
#include "autograd/ops/batch_norm.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/lerp.h"
#include "autograd/ops/rms_norm.h"
#include "autograd/ops/substitute_columns.h"
#include "autograd/ops/substitute_rows.h"
#include "nn/live_hooks.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxStacked = 64;

// y(gamma) = base + gamma (adapted - base); gamma 1 is the adapted value itself.
Variable gated(Context& context, const Variable& base, Variable adapted, float gate) {
  if (gate == 1.0f || adapted.same_as(base)) return adapted;
  return lerp(context, base, adapted, gate);
}

// The one adapter that replaces tensors at this site, if any.
std::optional<LiveHook> replacing_hook(const std::vector<ActiveAdapter>& adapters,
                                       const Site& site) {
  std::optional<LiveHook> found;
  for_each_hook(adapters, site, [&](LiveHook live) {
    if (!live.hook->replacements().any()) return;
    require(!found.has_value(), ErrorKind::kUsage,
            "two active adapters replace the tensors of {}; activate only one of them", site.name);
    found = live;
  });
  return found;
}

// What the base gives for x, with its tensors replaced where an adapter does that. `base` is the
// frozen product of x where it is at hand; with a replacement at gate 1 it is not needed.
Variable replaced_linear(Context& context, const LinearSite& module,
                         const std::vector<ActiveAdapter>& adapters, const Variable& x,
                         Variable base, Precision precision) {
  auto replacing = replacing_hook(adapters, module.site);
  if (!replacing.has_value() || replacing->gate != 1.0f) {
    if (!base.defined()) base = linear(context, x, {.frozen = &module.weight}, precision);
  }
  if (!replacing.has_value()) return base;
  Replacements replaced = replacing->hook->replacements();
  Variable adapted = linear(
      context, x, {.frozen = &module.weight, .weight = replaced.weight, .bias = replaced.bias},
      precision);
  return replacing->gate == 1.0f ? adapted
                                 : gated(context, base, std::move(adapted), replacing->gate);
}

// What the first `count` hooks and the layer give together for x: hook k changes what the hooks
// before it give, in what they read, in what comes out, or in both.
Variable hooked_linear(Context& context, const LinearSite& module,
                       const std::vector<ActiveAdapter>& adapters, std::span<const LiveHook> hooks,
                       const Variable& x, Variable base, Precision precision) {
  if (hooks.empty())
    return replaced_linear(context, module, adapters, x, std::move(base), precision);
  const LiveHook& live = hooks.back();
  std::span<const LiveHook> before = hooks.first(hooks.size() - 1);
  Variable read = live.hook->input(context, x);
  if (!read.defined()) {
    Variable y = hooked_linear(context, module, adapters, before, x, std::move(base), precision);
    if (live.gate == 1.0f) return live.hook->linear(context, module, x, std::move(y));
    return gated(context, y, live.hook->linear(context, module, x, y), live.gate);
  }
  Variable y = hooked_linear(context, module, adapters, before, read, Variable(), precision);
  Variable adapted = live.hook->linear(context, module, x, std::move(y));
  if (live.gate == 1.0f) return adapted;
  Variable plain = hooked_linear(context, module, adapters, before, x, std::move(base), precision);
  return gated(context, plain, std::move(adapted), live.gate);
}

Variable adapted_linear(Context& context, const LinearSite& module,
                        const std::vector<ActiveAdapter>& adapters, const Variable& x,
                        Variable base, Precision precision) {
  std::array<LiveHook, kMaxStacked> hooks;
  std::size_t count = 0;
  for_each_hook(adapters, module.site, [&](LiveHook live) {
    require(count < hooks.size(), ErrorKind::kUsage, "more than {} adapters are stacked at {}",
            hooks.size(), module.site.name);
    hooks.at(count++) = live;
  });
  return hooked_linear(context, module, adapters, {hooks.data(), count}, x, std::move(base),
                       precision);
}

// The hook that replaces a tensor as a whole.
std::optional<LiveHook> whole_replacing_hook(const std::vector<ActiveAdapter>& adapters,
                                             const Site& site) {
  auto replacing = replacing_hook(adapters, site);
  bool rows_alone = replacing.has_value() && replacing->hook->replacements().rows.values != nullptr;
  return rows_alone ? std::nullopt : replacing;
}

// Where no product can be blended or split: the gate takes 0 or 1, for the whole batch.
Replacements bare_replacement(Context& context, const Site& site) {
  for (const Segment& segment : context.segments) {
    require(!whole_replacing_hook(segment.adapters, site).has_value(), ErrorKind::kUsage,
            "an adapter of a segment replaces the {} {}; activate it for the whole batch",
            site_kind_name(site.kind), site.name);
  }
  if (!context.segments.empty()) return {};
  auto replacing = whole_replacing_hook(context.adapters, site);
  if (!replacing.has_value()) return {};
  require(replacing->gate == 1.0f, ErrorKind::kUsage,
          "the gate of {} is {}; a replaced {} takes 0 or 1", site.name, replacing->gate,
          site_kind_name(site.kind));
  return replacing->hook->replacements();
}

// The rows of a table that an adapter trains, if any, and its gate there.
struct LiveRows {
  TrainedRows trained;
  float gate = 1;
};
LiveRows rows_of(const std::vector<ActiveAdapter>& adapters, const Site& site) {
  auto replacing = replacing_hook(adapters, site);
  if (!replacing.has_value()) return {};
  return {replacing->hook->replacements().rows, replacing->gate};
}

}  // namespace

Variable linear_site(Context& context, const LinearSite& module, const Variable& x,
                     Precision precision) {
  const Site& site = module.site;
  if (!any_adapter(context, site)) {
    return tapped(context, site, linear(context, x, {.frozen = &module.weight}, precision));
  }
  if (context.segments.empty()) {
    return tapped(context, site,
                  adapted_linear(context, module, context.adapters, x, Variable(), precision));
  }
  // One product of the base for the whole batch, small products per segment.
  Variable base = linear(context, x, {.frozen = &module.weight}, precision);
  Variable y = for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& x_part,
          const Variable& base_part) {
        return adapted_linear(context, module, adapters, x_part, base_part, precision);
      },
      x, base);
  return tapped(context, site, std::move(y));
}

ConvShape shape_over(const ConvSite& module, MapSize map) {
  ConvShape shape = module.conv.shape();
  if (module.same) shape.padding = same_padding(shape, map);
  return shape;
}

namespace {

// What the base gives for x, with its tensors replaced where an adapter does that.
Variable replaced_conv(Context& context, const ConvSite& module,
                       const std::vector<ActiveAdapter>& adapters, const Variable& x,
                       Precision precision) {
  ConvShape shape = shape_over(module, x.row_space()->map);
  const RowSpace* places = context.map_space(x.row_space(), shape.output(x.row_space()->map));
  auto plain = [&] { return conv(context, x, shape, {.frozen = &module.conv}, places, precision); };
  auto replacing = replacing_hook(adapters, module.site);
  if (!replacing.has_value()) return plain();
  Replacements replaced = replacing->hook->replacements();
  Variable adapted = conv(
      context, x, shape, {.frozen = &module.conv, .weight = replaced.weight, .bias = replaced.bias},
      places, precision);
  return replacing->gate == 1.0f ? adapted
                                 : gated(context, plain(), std::move(adapted), replacing->gate);
}

}  // namespace

Variable conv_site(Context& context, const ConvSite& module, const Variable& x,
                   Precision precision) {
  const Site& site = module.site;
  if (!any_adapter(context, site))
    return tapped(context, site, replaced_conv(context, module, {}, x, precision));
  MapSize map = x.row_space()->map;
  Variable y = for_each_segment_into(
      context, context.map_space(x.row_space(), shape_over(module, map).output(map)),
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& x_part) {
        Variable sum = replaced_conv(context, module, adapters, x_part, precision);
        for_each_hook(adapters, site, [&](LiveHook live) {
          if (live.gate == 1.0f) {
            sum = live.hook->conv(context, module, x_part, std::move(sum));
          } else {
            sum = gated(context, sum, live.hook->conv(context, module, x_part, sum), live.gate);
          }
        });
        return sum;
      },
      x);
  return tapped(context, site, std::move(y));
}

namespace {

Variable batch_normalised(Context& context, const NormSite& norm, const Variable& x,
                          const Replacements& trained) {
  if (!trained.any())
    return channel_affine(context, x, norm.scale, norm.shift, Precision::kCompute);
  BatchEstimates* estimates = trained.estimates;
  bool own = estimates != nullptr;
  return batch_norm(context, x,
                    {.mean = own ? estimates->mean->value() : norm.site.mean,
                     .variance = own ? estimates->variance->value() : norm.site.variance,
                     .eps = norm.eps,
                     .gamma = norm.gamma,
                     .beta = norm.beta,
                     .trained_gamma = trained.weight,
                     .trained_beta = trained.bias,
                     .batch_statistics = own && context.training,
                     .seen = own ? &estimates->seen : nullptr,
                     .precision = Precision::kCompute});
}

// `trained` takes the place of the base's tensors where it has some.
Variable normalised(Context& context, const NormSite& norm, const Variable& x,
                    const Variable& residual, const Replacements& trained, int64_t heads) {
  if (norm.kind == NormKind::kLayer) {
    return layer_norm(context, x, residual,
                      {.gamma = norm.gamma,
                       .beta = norm.beta,
                       .eps = norm.eps,
                       .trained_gamma = trained.weight,
                       .trained_beta = trained.bias});
  }
  ensure(!residual.defined(), "{} adds no residual", norm.site.name);
  if (norm.kind == NormKind::kBatch) return batch_normalised(context, norm, x, trained);
  return rms_norm(context, x,
                  {.weight = norm.gamma,
                   .eps = norm.eps,
                   .trained_weight = trained.weight,
                   .offset = norm.offset,
                   .parts = std::max<int64_t>(heads, 1),
                   .precision = heads > 0 ? Precision::kCompute : Precision::kFull});
}

// Of whole rows where `heads` is 0.
Variable norm_with(Context& context, const NormSite& norm, const Variable& x,
                   const Variable& residual, int64_t heads) {
  if (!any_adapter(context, norm.site))
    return tapped(context, norm.site, normalised(context, norm, x, residual, {}, heads));
  Variable y = for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& x_part,
          const Variable& residual_part) {
        auto plain = [&] { return normalised(context, norm, x_part, residual_part, {}, heads); };
        auto replacing = replacing_hook(adapters, norm.site);
        if (!replacing.has_value()) return plain();
        Variable adapted = normalised(context, norm, x_part, residual_part,
                                      replacing->hook->replacements(), heads);
        if (replacing->gate == 1.0f) return adapted;
        return gated(context, plain(), adapted, replacing->gate);
      },
      x, residual);
  return tapped(context, norm.site, std::move(y));
}

}  // namespace

Variable norm_site(Context& context, const NormSite& norm, const Variable& x,
                   const Variable& residual) {
  return norm_with(context, norm, x, residual, 0);
}

Variable activated_norm_site(Context& context, const NormSite& norm, const Variable& x,
                             Activation then) {
  std::optional<Clamp> clamp = clamp_of(then);
  bool as_it_is =
      norm.kind == NormKind::kBatch && !any_adapter(context, norm.site) && context.tap == nullptr;
  if (clamp.has_value() && as_it_is)
    return channel_affine(context, x, norm.scale, norm.shift, Precision::kCompute, *clamp);
  return activation(context, norm_site(context, norm, x, Variable()), then, Precision::kCompute);
}

Variable head_norm_site(Context& context, const NormSite& norm, const Variable& x, int64_t heads) {
  return norm_with(context, norm, x, Variable(), heads);
}

namespace {

Variable hidden_with(Context& context, const HiddenSite& hidden, const Variable& input,
                     Variable output, const Variable& residual, const NormSite* norm) {
  if (!any_adapter(context, hidden.site)) return tapped(context, hidden.site, std::move(output));
  Variable y = for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& output_part,
          const Variable& input_part, const Variable& residual_part) {
        Variable sum = output_part;
        for_each_hook(adapters, hidden.site, [&](LiveHook live) {
          Variable added = live.hook->hidden(context, {input_part, sum, residual_part, norm});
          if (added.defined()) sum = add_scaled(context, sum, added, live.gate);
        });
        return sum;
      },
      output, input, residual);
  return tapped(context, hidden.site, std::move(y));
}

}  // namespace

Variable hidden_site(Context& context, const HiddenSite& hidden, const Variable& input,
                     Variable output, const Variable& residual, const NormSite& norm) {
  return hidden_with(context, hidden, input, std::move(output), residual, &norm);
}

Variable hidden_site(Context& context, const HiddenSite& hidden, const Variable& input,
                     Variable output, const Variable& residual) {
  return hidden_with(context, hidden, input, std::move(output), residual, nullptr);
}

Variable hidden_site(Context& context, const HiddenSite& hidden, Variable output) {
  return hidden_with(context, hidden, Variable(), std::move(output), Variable(), nullptr);
}

Variable inverse_site(Context& context, const HiddenSite& hidden, const Variable& h) {
  if (!any_adapter(context, hidden.site)) return h;
  return for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& part) {
        std::vector<LiveHook> hooks;
        hooks.reserve(adapters.size());
        for_each_hook(adapters, hidden.site, [&](LiveHook live) { hooks.push_back(live); });
        Variable x = part;
        for (auto live = hooks.rbegin(); live != hooks.rend(); ++live) {
          Variable before = live->hook->inverse(context, x);
          if (before.defined()) x = gated(context, x, std::move(before), live->gate);
        }
        return x;
      },
      h);
}

Parameter* embedding_replacement(Context& context, const EmbeddingSite& embedding) {
  return bare_replacement(context, embedding.site).weight;
}

bool has_trained_rows(const Context& context, const EmbeddingSite& embedding) {
  auto any = [&](const std::vector<ActiveAdapter>& adapters) {
    return rows_of(adapters, embedding.site).trained.values != nullptr;
  };
  if (context.segments.empty()) return any(context.adapters);
  return std::any_of(context.segments.begin(), context.segments.end(),
                     [&](const Segment& segment) { return any(segment.adapters); });
}

Variable embedding_site(Context& context, const EmbeddingSite& embedding, Variable x,
                        const std::vector<int32_t>& ids) {
  if (!has_trained_rows(context, embedding)) return x;
  std::span<const int32_t> rest = ids;
  return for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& x_part) {
        std::span<const int32_t> own = rest.first(static_cast<std::size_t>(x_part.rows()));
        rest = rest.subspan(own.size());
        LiveRows rows = rows_of(adapters, embedding.site);
        if (rows.trained.values == nullptr) return x_part;
        return gated(context, x_part, substitute_rows(context, x_part, own, rows.trained),
                     rows.gate);
      },
      x);
}

EmbeddingLookup table_lookup(Context& context, const EmbeddingSite& embedding,
                             const std::vector<int32_t>& ids) {
  return {{embedding.site.weight, embedding_replacement(context, embedding)}, &ids};
}

Variable table_rows(Context& context, const EmbeddingSite& embedding,
                    const std::vector<int32_t>& ids, const RowSpace* rows) {
  std::array<EmbeddingLookup, 1> one{table_lookup(context, embedding, ids)};
  return embedding_site(context, embedding, embedding_sum(context, one, rows), ids);
}

Variable tied_linear_site(Context& context, const TiedLinear& module, const Variable& x) {
  Parameter* trained_bias =
      module.bias != nullptr ? parameter_replacement(context, *module.bias) : nullptr;
  ColumnBias bias{module.weight.bias(), trained_bias};
  LinearWeights weights{.frozen = &module.weight,
                        .weight = embedding_replacement(context, module.table),
                        .bias = bias.trained};
  Variable y = linear(context, x, weights, Precision::kFull);
  if (!has_trained_rows(context, module.table)) return y;
  return for_each_segment(
      context,
      [&](const std::vector<ActiveAdapter>& adapters, const Variable& y_part,
          const Variable& x_part) {
        LiveRows rows = rows_of(adapters, module.table.site);
        if (rows.trained.values == nullptr) return y_part;
        Variable own = linear(context, x_part, {.weight = rows.trained.values}, Precision::kFull);
        return gated(context, y_part,
                     substitute_columns(context, y_part, own, *rows.trained.numbers, bias),
                     rows.gate);
      },
      y, x);
}

Parameter* parameter_replacement(Context& context, const Site& parameter) {
  Replacements replaced = bare_replacement(context, parameter);
  return parameter.weight.defined() ? replaced.weight : replaced.bias;
}

}  // namespace inlay
