// Prefix tuning: Li & Liang 2021, arXiv:2101.00190, section 4: every layer's attention reads
// trained keys and values before those of the text, attention(Q, [P_K; K], [P_V; V]). The pairs of
// all layers are one row per virtual token, P (n, 2 L C): K and V of layer 0, then of layer 1 ...
// With prefix_projection (section 4.3) a network makes P = W_2 tanh(W_1 E + b_1) + b_2, which
// trains more steadily.
// use_gating: Mao et al. 2021, arXiv:2110.07577, section 3.3.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "adapters/adapterhub_prompt.h"
#include "adapters/example_gate.h"
#include "adapters/method.h"
#include "adapters/prompt_peft.h"
#include "adapters/targeted_method.h"
#include "adapters/targets.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/row_ops.h"
#include "nn/initializers.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// The factors of an example's prefixes, UniPELT's gates: one for both, or one for each.
struct PrefixGates {
  std::optional<ExampleGate> key, value;

  const ExampleGate* of_key() const { return key.has_value() ? &*key : nullptr; }
  const ExampleGate* of_value() const { return value.has_value() ? &*value : of_key(); }
};

class PrefixHook : public SiteHook {
 public:
  PrefixHook(DerivedParameter& key, DerivedParameter& value, PrefixGates gates, double dropout,
             std::string stream)
      : key_(key), value_(value), gates_(gates), dropout_(dropout), stream_(std::move(stream)) {}

  AttentionPrefix prefix(Context& context, const AttentionBlock& block) override {
    int64_t count = key_.current().shape()[0];
    const RowSpace* rows = context.virtual_rows(*block.key.row_space(), count);
    auto of_examples = [&](DerivedParameter& part, const ExampleGate* gate, const char* name) {
      Variable repeated = repeat_rows(context, part.current(), Precision::kCompute, rows);
      repeated = inlay::dropout(context, repeated, dropout_, stream_ + name);
      return gate == nullptr ? repeated : gate->apply(context, block.input, repeated);
    };
    return {count, of_examples(key_, gates_.of_key(), ".key"),
            of_examples(value_, gates_.of_value(), ".value")};
  }

 private:
  DerivedParameter& key_;
  DerivedParameter& value_;
  PrefixGates gates_;
  double dropout_;
  std::string stream_;
};

// Columns [first, first + count) of a matrix as one of their own.
DerivedParameter& columns_of(ParameterMaker& make, const std::string& name, Parameter& whole,
                             int64_t first, int64_t count) {
  return make.derive(
      name, {&whole},
      [first, count](DerivedParameter::Values values) {
        Tensor part = Tensor::empty({values[0].dim(0), count}, values[0].dtype());
        with_real(part.dtype(), [&](auto zero) {
          using T = decltype(zero);
          matrix<T>(part) = const_matrix<T>(values[0]).middleCols(first, count);
        });
        return part;
      },
      [first, count](DerivedParameter::Values values, const Tensor& grad) {
        Tensor full = Tensor::zeros(values[0].shape(), values[0].dtype());
        with_real(full.dtype(), [&](auto zero) {
          using T = decltype(zero);
          matrix<T>(full).middleCols(first, count) = const_matrix<T>(grad);
        });
        return std::vector<Tensor>{std::move(full)};
      });
}

// The network's sources, in this order.
enum PrefixSource { kEmbedding, kWeight1, kBias1, kWeight2, kBias2 };

// tanh(E W_1^T + b_1), (n, bottleneck).
template <class T>
RowMajor<T> middle(DerivedParameter::Values values) {
  RowMajor<T> z =
      const_matrix<T>(values[kEmbedding]) * const_matrix<T>(values[kWeight1]).transpose();
  z.rowwise() += const_matrix<T>(values[kBias1]).row(0);
  return z.array().tanh().matrix();
}

Tensor project(DerivedParameter::Values values) {
  Tensor pairs = Tensor::empty({values[kEmbedding].dim(0), values[kWeight2].dim(0)},
                               values[kEmbedding].dtype());
  with_real(pairs.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto y = matrix<T>(pairs);
    y.noalias() = middle<T>(values) * const_matrix<T>(values[kWeight2]).transpose();
    y.rowwise() += const_matrix<T>(values[kBias2]).row(0);
  });
  return pairs;
}

std::vector<Tensor> project_backward(DerivedParameter::Values values, const Tensor& grad) {
  std::vector<Tensor> grads;
  grads.reserve(values.size());
  for (const Tensor& value : values) grads.push_back(Tensor::empty(value.shape(), value.dtype()));
  with_real(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto dy = const_matrix<T>(grad);
    RowMajor<T> h = middle<T>(values);
    matrix<T>(grads[kWeight2]).noalias() = dy.transpose() * h;
    matrix<T>(grads[kBias2]) = dy.colwise().sum();
    RowMajor<T> dz = dy * const_matrix<T>(values[kWeight2]);
    dz.array() *= 1 - h.array().square();
    matrix<T>(grads[kWeight1]).noalias() = dz.transpose() * const_matrix<T>(values[kEmbedding]);
    matrix<T>(grads[kBias1]) = dz.colwise().sum();
    matrix<T>(grads[kEmbedding]).noalias() = dz * const_matrix<T>(values[kWeight1]);
  });
  return grads;
}

constexpr const char* kPositions[] = {"position_embeddings", "wpe"};  // GPT-2 has the latter

// PEFT's prefixes are past keys to Hugging Face's models, which count a text's positions on from
// there. The same by another table: row i holds what row i + n of the base's does.
class ShiftedPositions : public SiteHook {
 public:
  explicit ShiftedPositions(DerivedParameter& table) : table_(table) {}
  Replacements replacements() override { return {.weight = &table_.current()}; }

 private:
  DerivedParameter& table_;
};

Tensor shifted(const Tensor& table, int64_t rows, DType dtype) {
  Tensor result = Tensor::zeros(table.shape(), dtype);
  Tensor kept = table.rows(rows, table.dim(0)).to(dtype);
  std::memcpy(result.mutable_raw(), kept.raw(), kept.byte_count());
  return result;
}

class PrefixTuning : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("num_virtual_tokens", num_virtual_tokens_, "keys and values set before each text's own");
    visit("prefix_projection", prefix_projection_,
          "a network makes the prefixes of all layers from one embedding");
    visit("encoder_hidden_size", encoder_hidden_size_, "hidden size of that network");
    visit.choice("init_weights", init_weights_, {"normal", "zero"},
                 "how prefixes start without a network");
    visit("dropout", dropout_, "probability of dropping an element of a prefix while training");
    visit("use_gating", use_gating_, "a factor of the prefixes for each text, learned from it");
    visit("shared_gating", shared_gating_, "one factor for keys and values; otherwise one each");
    visit("leave_out", leave_out_, "numbers of layers without a prefix");
    visit("shift_positions", shift_positions_,
          "a text's positions count on behind the prefix, as with PEFT");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(num_virtual_tokens_ >= 1 && num_virtual_tokens_ <= kMostTokens, ErrorKind::kUsage,
            "prefix_tuning: num_virtual_tokens is {}; expected 1 to {}", num_virtual_tokens_,
            kMostTokens);
    require(encoder_hidden_size_ >= 1 && encoder_hidden_size_ <= kMostHidden, ErrorKind::kUsage,
            "prefix_tuning: encoder_hidden_size is {}; expected 1 to {}", encoder_hidden_size_,
            kMostHidden);
    check_probability("prefix_tuning: dropout", dropout_);
    for (const std::string& layer : leave_out_) {
      require(is_layer(base, layer), ErrorKind::kUsage,
              "prefix_tuning: leave_out names layer \"{}\"; this base has layers 0 to {}", layer,
              base.layers - 1);
    }
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      if (site->kind == SiteKind::kAttention && !left_out(*site)) sites.push_back(site);
    }
    require(!sites.empty(), ErrorKind::kUsage,
            "prefix_tuning: no attention is left to give a prefix; leave fewer layers out");
    if (shift_positions_) sites.insert(sites.begin(), &position_table(base));
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& pairs = prefixes(make);
    if (site.kind == SiteKind::kEmbedding) return shifted_positions(site, pairs, make);
    int64_t channels = key_channels(site), first = 0;
    for (const Site* other : make.sites()) {
      if (other->index == site.index) break;
      first += 2 * key_channels(*other);
    }
    return std::make_unique<PrefixHook>(
        columns_of(make, site.name + ".prefix_key", pairs, first, channels),
        columns_of(make, site.name + ".prefix_value", pairs, first + channels, channels),
        gates(site, make), dropout_, "dropout/prefix_tuning/" + site.name);
  }

  bool identity_at_start() const override { return false; }
  int64_t positions_taken() const override { return shift_positions_ ? num_virtual_tokens_ : 0; }
  // PEFT has neither gates nor layers that are left out, and keeps no network.
  bool fits_format() const override {
    return shift_positions_ && !prefix_projection_ && !use_gating_ && leave_out_.empty();
  }

 private:
  static constexpr int64_t kMostTokens = 4096;
  static constexpr int64_t kMostHidden = 65536;

  static bool is_layer(const BaseFacts& base, const std::string& layer) {
    return !layer.empty() && layer.size() < 6 &&
           layer.find_first_not_of("0123456789") == layer.npos && std::stoll(layer) < base.layers;
  }
  bool left_out(const Site& site) const {
    return std::any_of(leave_out_.begin(), leave_out_.end(),
                       [&](const std::string& layer) { return std::stoll(layer) == site.layer; });
  }
  static int64_t key_channels(const Site& site) {
    return site.kind == SiteKind::kAttention ? site.out / site.heads * site.kv_heads : 0;
  }

  static bool is_position_table(const Site& site) {
    return site.kind == SiteKind::kEmbedding &&
           std::any_of(std::begin(kPositions), std::end(kPositions),
                       [&](const char* name) { return matches_target(site.name, name); });
  }

  const Site& position_table(const BaseFacts& base) const {
    for (const Site* site : base.sites) {
      if (!is_position_table(*site)) continue;
      require(
          num_virtual_tokens_ < base.max_tokens, ErrorKind::kUsage,
          "prefix_tuning: with shift_positions, {} virtual tokens leave no room for a text; this "
          "base has {} positions",
          num_virtual_tokens_, base.max_tokens);
      return *site;
    }
    fail(ErrorKind::kUsage,
         "prefix_tuning: shift_positions needs a base with a table of positions ({}); this one, of "
         "type {}, has none",
         fmt::join(kPositions, " or "), base.model_type);
  }

  // It follows the precision of the prefixes, not their values, and has no gradient.
  std::unique_ptr<SiteHook> shifted_positions(const Site& site, Parameter& pairs,
                                              ParameterMaker& make) const {
    DerivedParameter& table = make.derive(
        site.name + ".shifted", {&pairs},
        [weight = site.weight, n = num_virtual_tokens_, made = Tensor()](auto values) mutable {
          DType dtype = values[0].dtype();
          if (!made.defined() || made.dtype() != dtype) made = shifted(weight, n, dtype);
          return made;
        },
        [](auto, const Tensor&) { return std::vector<Tensor>(1); });
    table.parameter().freeze();
    return std::make_unique<ShiftedPositions>(table);
  }

  PrefixGates gates(const Site& site, ParameterMaker& make) const {
    PrefixGates gates;
    if (!use_gating_) return gates;
    int64_t read = make.base().hidden;  // by the projections of keys and values
    gates.key.emplace(site, read, make, "prefix_gate");
    if (!shared_gating_) gates.value.emplace(site, read, make, "prefix_gate_value");
    return gates;
  }

  // P (n, 2 L C): trained itself, or made by the network.
  Parameter& prefixes(ParameterMaker& make) const {
    int64_t width = 0, n = num_virtual_tokens_;
    for (const Site* site : make.sites()) width += 2 * key_channels(*site);
    if (!prefix_projection_) {
      return make.shared("prompt_embeddings", [&](const Stream& stream) {
        return init_weights_ == "zero" ? Tensor::zeros({n, width}, DType::kF32)
                                       : normal_init({n, width}, 1.0f, stream);
      });
    }
    int64_t hidden = make.base().hidden, size = encoder_hidden_size_;
    auto normal = [&](const Stream& stream) { return normal_init({n, hidden}, 1.0f, stream); };
    std::vector<Parameter*> sources{&make.shared("wte.weight", normal)};
    add_linear(make, "control_trans.0", size, hidden, sources);
    add_linear(make, "control_trans.2", width, size, sources);
    return make.derive_shared("prompt_embeddings", std::move(sources), project, project_backward)
        .parameter();
  }

  // Weight (out, in) and bias of a layer, as PyTorch starts them.
  static void add_linear(ParameterMaker& make, const std::string& name, int64_t out, int64_t in,
                         std::vector<Parameter*>& sources) {
    sources.push_back(&make.shared(name + ".weight", [&](const Stream& stream) {
      return kaiming_uniform_init({out, in}, stream);
    }));
    sources.push_back(&make.shared(name + ".bias", [&](const Stream& stream) {
      return uniform_init({out}, 1.0f / std::sqrt(static_cast<float>(in)), stream);
    }));
  }

  int64_t num_virtual_tokens_ = 10;
  bool prefix_projection_ = false;
  int64_t encoder_hidden_size_ = 512;
  std::string init_weights_ = "normal";
  double dropout_ = 0;
  bool use_gating_ = false, shared_gating_ = true;
  std::vector<std::string> leave_out_;
  bool shift_positions_ = false;
};

}  // namespace

const MethodInfo& method_prefix_tuning() {
  static const MethodInfo info{
      .name = "prefix_tuning",
      .summary = "Sets trained keys and values before each layer's own.",
      .citation = "arXiv:2101.00190",
      .example = "prefix_tuning[num_virtual_tokens=10]",
      .format = AdapterFormat::kPeft,
      .peft = &prefix_tuning_peft_form(),
      .adapterhub = &prefix_tuning_adapterhub_form(),
      .learning_rate = 1e-2,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<PrefixTuning>(); }};
  return info;
}

}  // namespace inlay
