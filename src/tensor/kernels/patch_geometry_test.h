// Windows over small maps that tests of their kernels share.
#pragma once

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/patch_geometry.h"

namespace inlay::kernels {

inline constexpr PatchGeometry kGeometries[] = {
    // one place, as it is
    {.input_height = 3, .input_width = 4, .output_height = 3, .output_width = 4},
    // 3 x 3 between zeros
    {5, 4, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1},
    // 3 x 3, every second place
    {7, 6, 4, 3, 3, 3, 2, 2, 1, 1, 1, 1},
    // every second place of a larger stretch, more zeros after the map than before it
    {9, 8, 5, 4, 3, 3, 2, 2, 2, 2, 1, 1},
    // 7 x 7, larger than the map
    {4, 5, 4, 5, 7, 7, 1, 1, 1, 1, 3, 3},
    // each direction of its own
    {6, 9, 4, 4, 2, 5, 2, 3, 1, 2, 0, 4},
    // patches side by side
    {8, 8, 2, 2, 4, 4, 4, 4, 1, 1, 0, 0},
};

}  // namespace inlay::kernels
