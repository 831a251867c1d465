// The maps of a base that a detector reads: of strides 8, 16 and 32, finest first.
//
// A network of shrinking maps has them: the last layer output of each size. A transformer over
// patches has maps of one size: the last of them becomes that of stride 16, twice as large by
// repeating places that of 8, and half as large by its maxima that of 32; the simple pyramid of
// ViTDet (Li et al. 2022, arXiv:2203.16527, section 3) without its further convolutions. So does a
// level that a network lacks come from the next one.
#pragma once

#include <cstdint>
#include <vector>

#include "models/model.h"

namespace inlay {

// Runs the base on a batch of pictures, under the context's own tap, too. kUsage for pictures whose
// sides are not multiples of 32.
std::vector<Variable> pyramid_levels(Context& context, const Model& model, const TokenBatch& batch);

// The channels of each level, found by running the base on one picture.
std::vector<int64_t> level_channels(const Model& model);

}  // namespace inlay
