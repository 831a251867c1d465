// How fast the channels of rotary positions turn, as a config.json says: plain, or stretched so
// that a model reads longer texts than it was trained on. Reads the keys of old files (rope_theta,
// rope_scaling) and of new ones (rope_parameters).
//
//   RotaryFrequencies frequencies = read_rotary_frequencies(config, head_dim, max_positions);
//   RotaryTables tables = rotary_tables(frequencies, 2048);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/ops/rotary.h"
#include "formats/model_config.h"

namespace inlay {

struct RotaryFrequencies {
  std::vector<double> inverse;  // radians per position, one for each pair of channels
  // For texts beyond `original_positions`, where a method has others (longrope); empty: the same.
  std::vector<double> inverse_long;
  int64_t original_positions = 0;
  double scale = 1;  // of cosines and sines
};

// rope_type "default", "linear", "llama3" (Llama 3.1), "yarn" (Peng et al. 2023, arXiv:2309.00071),
// "longrope" (Ding et al. 2024, arXiv:2402.13753), or "dynamic", which within the positions of the
// base is the default. An unknown one is kInput naming the file and those that are known.
// `layer_type` chooses among rope_parameters that differ by layer ("sliding_attention"); empty:
// there is one set.
RotaryFrequencies read_rotary_frequencies(const ModelConfig& config, int64_t head_dim,
                                          int64_t max_positions,
                                          const std::string& layer_type = "");

// Cosines and sines of `positions` positions for one of these lists, times `scale`. Angles are
// computed in double and rounded once.
RotaryTables rotary_tables(const std::vector<double>& inverse, double scale, int64_t positions);

}  // namespace inlay
