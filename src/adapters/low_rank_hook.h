// The hook of the LoRA family: y + s B A x, and what its variants make of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapters/example_gate.h"
#include "adapters/method.h"
#include "autograd/ops/lora.h"

namespace inlay {

// Parameters that a variant does without are null.
struct LowRankParts {
  Parameter* a = nullptr;  // (r, in)
  Parameter* b = nullptr;  // (out, r)
  // The factors that training began with where their product is not zero: the update is
  // s (B A - B0 A0), so that the base need not change. Constants.
  Parameter* first_a = nullptr;
  Parameter* first_b = nullptr;
  Parameter* bias = nullptr;       // (out): adds s times itself
  Parameter* magnitude = nullptr;  // (out): DoRA's lengths of the rows of W + s B A
  // UniPELT's factor of an example, in place of the scale, which is 1.
  std::optional<ExampleGate> gate;
  TrainedFactors trained;
  float scale = 1;
  double dropout = 0;
  std::string stream;  // of the dropout
};

// REQUIRES: `site` is linear and lives as long as the hook.
//
// With magnitudes the layer gives c + (m / n) (y + s B A x - c), c being its bias and n the lengths
// of the rows of W + s B A: DoRA of the base's own weight around whatever adapters before it give.
// Merging follows the same order, so any number of them gives merged what it gives unmerged. What
// a gate scales by differs from example to example and cannot be merged.
// REQUIRES: a gate comes with neither magnitudes nor first factors.
std::unique_ptr<SiteHook> make_low_rank_hook(const Site& site, const LowRankParts& parts);

}  // namespace inlay
