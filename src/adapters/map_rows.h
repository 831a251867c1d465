// The tokens of images as maps, for networks in which a token sees its neighbours. What is of no
// place (a class token, a virtual token) is a map of one place by itself, on which the middle of
// a filter counts alone, as in Convpass.
//
//   y = over_maps(context, x, [&](const Variable& maps) {
//     return conv(context, maps, shape, weights, maps.row_space(), Precision::kFull);
//   });
#pragma once

#include <functional>

#include "nn/context.h"

namespace inlay {

// Gives a row for each row of `maps`, in its space.
using OverMaps = std::function<Variable(const Variable& maps)>;

// What `body` gives for the maps of x's examples and for the tokens before them, in x's space.
// REQUIRES: x's space has a map.
Variable over_maps(Context& context, const Variable& x, const OverMaps& body);

}  // namespace inlay
