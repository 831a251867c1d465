// A detector without anchors on the maps of a base, after FCOS (Tian et al. 2019,
// arXiv:1904.01355): a feature pyramid (Lin et al. 2016, arXiv:1612.03144), then one tower of
// convolutions for all of its levels, then a linear layer that says at every place which object it
// belongs to and where the object's sides are.
//
//   map of a level -> lateral (1 x 1), norm -> + the coarser level at twice its size
//                  -> smooth (3 x 3) -> tower: (3 x 3, norm, relu) twice
//                  -> classes, 4 distances, centreness
//
// The norms are over the channels of a place, as in ViTDet's pyramid (Li et al. 2022,
// arXiv:2203.16527, section 3), so that examples stay apart. A head calls this where its input is
// HeadInput::kPyramid.
#pragma once

#include <deque>
#include <span>

#include "nn/head.h"

namespace inlay {

// Of the outputs of a place, behind those of its classes: the four sides and the centreness.
inline constexpr int64_t kBoxOutputs = 5;

// `outputs` are those of a place: classes and kBoxOutputs. A fresh head gives every class the
// probability 0.01 (Lin et al. 2017, arXiv:1708.02002, section 4.1). REQUIRES: layout.levels.
std::deque<Parameter> make_detection_parameters(const HeadLayout& layout, int64_t outputs,
                                                uint64_t seed);

// One map per level, finest first, each at least half as high and wide as the one before ->
// (examples * places of all levels, outputs), full precision: of every example the places of the
// finest level, line by line, then of the next. Distances are logarithms, times a factor of the
// level. kInput where a map is not as wide as the layout says.
Variable detection_logits(Context& context, const HeadLayout& layout,
                          std::deque<Parameter>& parameters, std::span<const Variable> levels);

}  // namespace inlay
