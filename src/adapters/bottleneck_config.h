// The settings of bottleneck adapters, under AdapterHub's names, and its presets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"

namespace inlay {

inline constexpr const char* kLearnedScaling = "learned";
inline constexpr const char* kChannelScaling = "channel";
inline constexpr const char* kNice = "nice";  // of inv_adapter
inline constexpr double kInvertibleFactor = 2;

struct BottleneckConfig {
  explicit BottleneckConfig(std::string start);

  // The preset comes first: it sets what the settings after it then change.
  void fields(FieldVisitor& visit);
  // kUsage naming a value, or a pair of values, that makes no sense.
  void check() const;
  // The number that scaling is, if it is one.
  std::optional<double> fixed_scaling() const;
  // Whether z(LN(h + x)) is added to LN(h + x) itself, as Adapter+ does: to what the layer gives.
  bool after_norm() const { return !original_ln_after; }
  bool invertible() const { return inv_adapter == kNice; }

  std::string preset, applied;
  double reduction_factor = 16;
  std::string non_linearity;
  bool mh_adapter = false, output_adapter = true, is_parallel = false;
  bool original_ln_before = false, original_ln_after = true;
  std::string residual_before_ln;
  std::string scaling, init_weights;
  bool use_gating = false;
  double dropout = 0, stochastic_depth = 0;
  std::vector<std::string> leave_out;
  bool phm_layer = false;
  int64_t phm_dim = 4, phm_rank = 1;
  double phm_init_range = 1e-4;
  std::string hypercomplex_nonlinearity;
  std::string inv_adapter;
  double inv_adapter_reduction_factor = kInvertibleFactor;

 private:
  void apply_preset();
  void check_wiring() const;
  void check_phm() const;
  void check_invertible() const;
};

}  // namespace inlay
