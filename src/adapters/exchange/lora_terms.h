// The same adapter in other terms, for formats with one rank, scale or alpha for all modules: what
// the adapter computes stays the same to the last bit, or it is said by how much it does not.
#pragma once

#include "adapters/exchange/lora_adapter.h"

namespace inlay::exchange {

enum class Rounding { kRefuse, kAllow };

// Makes `scale` every module's scale, with B (and lora_bias) multiplied by the quotient. Exact for
// powers of two. Otherwise B is rounded to float32: kInput listing the modules unless `rounding`
// allows it; a note then gives the largest relative error.
void fold_scales(LoraAdapter& adapter, double scale, Rounding rounding, const std::string& format);
// The same for formats with one alpha, which makes the scale alpha / rank of each module.
void fold_alphas(LoraAdapter& adapter, double alpha, Rounding rounding, const std::string& format);

// The scale that most modules have, of those that are not 0; 0 when all are.
double usual_scale(const LoraAdapter& adapter);
// The same of alpha = scale * rank.
double usual_alpha(const LoraAdapter& adapter);

// Makes every rank the largest one: rows of zeros for A and columns of zeros for B, which changes
// no product. REQUIRES: scales are resolved, as they are in a LoraModule.
void pad_ranks(LoraAdapter& adapter);

// Adds modules of zeros, which change nothing, where a layer from `first` to `last` lacks a module
// that another has. kInput for more than 1024 layers, and with DoRA, whose magnitudes would need
// the base.
void fill_layers(LoraAdapter& adapter, int64_t first, int64_t last, const std::string& format);
// The lowest and the highest layer of any module; (0, -1) without layers.
std::pair<int64_t, int64_t> layer_range(const LoraAdapter& adapter);

// alpha with alpha / rank = scale in float64, where there is one, and otherwise the nearest.
double alpha_for(double scale, int64_t rank);

}  // namespace inlay::exchange
