// LoRA of a convolution, as PEFT's lora.Conv2d: y + s B * (A * x), A a convolution to r channels
// with the base's kernel, stride, padding and dilation, B one of 1 x 1. In a grouped convolution
// both have its groups, so that their product is a kernel of its shape. PEFT leaves dilation out of
// A and refuses to merge groups; here both are exact.
#pragma once

#include <memory>
#include <string>

#include "adapters/method.h"

namespace inlay {

struct ConvLowRankParts {
  Parameter* a = nullptr;  // (r, in / groups, height, width)
  Parameter* b = nullptr;  // (out, r / groups, 1, 1)
  float scale = 1;
  double dropout = 0;
  std::string stream;  // of the dropout
};

// REQUIRES: `site` is a convolution and lives as long as the hook; its groups divide r.
std::unique_ptr<SiteHook> make_conv_low_rank_hook(const Site& site, const ConvLowRankParts& parts);

}  // namespace inlay
