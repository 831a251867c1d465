// The instruction sets that Highway kernels are compiled for: the build's baseline, AVX2 and
// AVX-512 on x86; the processor's best is chosen at the first call. Include this before any Highway
// header:
//
//   #include "tensor/kernels/targets.h"
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "tensor/kernels/attention.cc"
//   #include <hwy/foreach_target.h>
//   #include <hwy/highway.h>
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)

#include <hwy/targets.h>
