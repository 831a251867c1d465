// The manifest of a finished run, from what it worked on and what its splits left.
#pragma once

#include <vector>

#include "runs/manifest.h"
#include "train/workbench.h"

namespace inlay {

// `splits` are the results of run_training()'s splits, `summary` what it returns;
// `predictions_hash` is the SHA-256 of predictions.jsonl.
Manifest make_manifest(const Workbench& bench, const std::vector<Json>& splits, const Json& summary,
                       const std::string& predictions_hash);

}  // namespace inlay
