#include "adapters/bottleneck_config.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "autograd/ops/activation.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr double kSmallestFactor = 1.0 / 16;

}  // namespace

BottleneckConfig::BottleneckConfig(std::string start) : preset(std::move(start)) { apply_preset(); }

void BottleneckConfig::fields(FieldVisitor& visit) {
  visit.choice("preset", preset,
               {"pfeiffer", "houlsby", "parallel", "scaled_parallel", "adapter_plus", "compacter",
                "compacter_plus_plus", "seq_bn_inv", "double_seq_bn_inv"},
               "what the settings below start from");
  if (preset != applied) apply_preset();
  visit("reduction_factor", reduction_factor, "hidden size divided by the bottleneck's size");
  visit("non_linearity", non_linearity, "activation in the bottleneck, by Hugging Face's names");
  visit("mh_adapter", mh_adapter, "adapt the output of attention");
  visit("output_adapter", output_adapter, "adapt the output of the feed-forward part");
  visit("is_parallel", is_parallel, "read what the block reads rather than what it gives");
  visit("original_ln_before", original_ln_before,
        "apply the block's norm before the bottleneck, too");
  visit("original_ln_after", original_ln_after,
        "apply the block's norm after it; false: add to what the norm before it gave");
  visit.choice("residual_before_ln", residual_before_ln, {"true", "false", "post_add"},
               "what the bottleneck is added to: the block's output, what the bottleneck reads, or "
               "the sum before the norm");
  visit("scaling", scaling, "factor of the bottleneck's output: a number, learned, or channel");
  visit("use_gating", use_gating, "learn how much of it each example gets");
  visit.choice("init_weights", init_weights, {"bert", "mam_adapter", "houlsby"},
               "initial values; mam_adapter starts as the unchanged base");
  visit("dropout", dropout, "probability of dropping an output of the bottleneck while training");
  visit("stochastic_depth", stochastic_depth,
        "probability of leaving the bottleneck out of an example while training");
  visit("leave_out", leave_out, "numbers of layers without a bottleneck");
  visit("phm_layer", phm_layer, "make the weights from Kronecker products, as Compacter does");
  visit("phm_dim", phm_dim, "how many Kronecker products are summed");
  visit("phm_rank", phm_rank, "rank of their right factors");
  visit("phm_init_range", phm_init_range,
        "standard deviation of the shared left factors at the start");
  visit.choice("hypercomplex_nonlinearity", hypercomplex_nonlinearity,
               {"glorot-uniform", "glorot-normal"}, "how the right factors start");
  visit.choice("inv_adapter", inv_adapter, {"none", kNice},
               "an invertible adapter of the embeddings, which a masked-LM head takes back");
  visit("inv_adapter_reduction_factor", inv_adapter_reduction_factor,
        "half the hidden size divided by the size of the invertible adapter's networks");
}

// AdapterHub's seq_bn, double_seq_bn, par_bn, scaled_par_bn, Adapter+, compacter, compacter++,
// seq_bn_inv and double_seq_bn_inv.
void BottleneckConfig::apply_preset() {
  bool parallel = preset == "parallel" || preset == "scaled_parallel";
  bool plus = preset == "adapter_plus";
  bool compacter = preset.starts_with("compacter");
  bool pfeiffer = preset == "pfeiffer" || preset == "seq_bn_inv";
  bool houlsby = preset == "houlsby" || preset == "double_seq_bn_inv";
  applied = preset;
  reduction_factor = parallel ? 2 : plus ? 96 : compacter ? 32 : 16;
  non_linearity = houlsby ? "swish" : plus || compacter ? "gelu" : "relu";
  mh_adapter = houlsby || preset == "compacter";
  output_adapter = true;
  is_parallel = parallel;
  original_ln_before = pfeiffer || plus || preset == "compacter_plus_plus";
  original_ln_after = !plus;
  residual_before_ln = plus ? "false" : "true";
  scaling = preset == "parallel"          ? "4"
            : preset == "scaled_parallel" ? kLearnedScaling
            : plus                        ? kChannelScaling
                                          : "1";
  init_weights = parallel ? "mam_adapter" : plus ? "houlsby" : "bert";
  stochastic_depth = plus ? 0.1 : 0;
  phm_layer = compacter;
  hypercomplex_nonlinearity = "glorot-uniform";
  inv_adapter = preset.ends_with("_inv") ? kNice : "none";
  inv_adapter_reduction_factor = kInvertibleFactor;
}

void BottleneckConfig::check() const {
  require(reduction_factor >= kSmallestFactor, ErrorKind::kUsage,
          "bottleneck: reduction_factor is {}; expected {} or more", reduction_factor,
          kSmallestFactor);
  for (auto [name, value] : {std::pair{"dropout", dropout}, {"stochastic_depth", stochastic_depth}})
    require(value >= 0 && value < 1, ErrorKind::kUsage,
            "bottleneck: {} is {}; expected 0 or more and below 1", name, value);
  bool known = scaling == kLearnedScaling || scaling == kChannelScaling;
  require(known || fixed_scaling().has_value(), ErrorKind::kUsage,
          "bottleneck: scaling is \"{}\"; expected a number, learned or channel", scaling);
  require(fixed_scaling().value_or(1) != 0, ErrorKind::kUsage,
          "bottleneck: scaling is 0, so that the adapter would have no effect; expected another "
          "number");
  parse_activation(non_linearity, "bottleneck");
  check_wiring();
  if (phm_layer) check_phm();
  check_invertible();
}

void BottleneckConfig::check_invertible() const {
  require(inv_adapter_reduction_factor >= kSmallestFactor, ErrorKind::kUsage,
          "bottleneck: inv_adapter_reduction_factor is {}; expected {} or more",
          inv_adapter_reduction_factor, kSmallestFactor);
  require(invertible() || inv_adapter_reduction_factor == kInvertibleFactor, ErrorKind::kUsage,
          "bottleneck: inv_adapter_reduction_factor has no meaning where inv_adapter is none; set "
          "inv_adapter=nice");
}

void BottleneckConfig::check_wiring() const {
  require(!is_parallel || (!original_ln_before && residual_before_ln == "true"), ErrorKind::kUsage,
          "bottleneck: original_ln_before and residual_before_ln have no meaning where is_parallel "
          "is true; leave them at false and true");
  require(residual_before_ln != "post_add" || original_ln_before, ErrorKind::kUsage,
          "bottleneck: residual_before_ln=post_add needs original_ln_before=true: without it "
          "nothing is added before the bottleneck");
  bool plus = original_ln_before && residual_before_ln == "false" && !mh_adapter && !is_parallel;
  require(original_ln_after || plus, ErrorKind::kUsage,
          "bottleneck: original_ln_after=false is for bottlenecks after a whole layer: it needs "
          "original_ln_before=true, residual_before_ln=false, mh_adapter=false and "
          "is_parallel=false, as in preset adapter_plus");
}

void BottleneckConfig::check_phm() const {
  require(phm_dim >= 1 && phm_rank >= 1, ErrorKind::kUsage,
          "bottleneck: phm_dim is {} and phm_rank {}; expected 1 or more", phm_dim, phm_rank);
  require(phm_init_range > 0, ErrorKind::kUsage,
          "bottleneck: phm_init_range is {}; expected more than 0: with zero factors nothing is "
          "ever learned",
          phm_init_range);
  require(init_weights == "bert", ErrorKind::kUsage,
          "bottleneck: init_weights={} has no meaning where phm_layer is true; set "
          "hypercomplex_nonlinearity, and leave init_weights at bert",
          init_weights);
}

std::optional<double> BottleneckConfig::fixed_scaling() const {
  double value = 0;
  const char* end = scaling.data() + scaling.size();
  auto [last, error] = std::from_chars(scaling.data(), end, value);
  if (error != std::errc() || last != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace inlay
