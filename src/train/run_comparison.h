// Whether a repeated run is the run: every hash of the manifests, every byte of adapters and
// predictions, and where the two first part.
//
//   RunComparison found = compare_runs(original, repeated, *model);
//   if (!found.equal()) log_warn("first at step {}", found.first_step);
#pragma once

#include <string>
#include <vector>

#include "models/model.h"
#include "runs/manifest.h"
#include "runs/run_folder.h"

namespace inlay {

struct RunComparison {
  std::vector<ManifestDifference> differences;  // outside "tool"
  std::vector<ManifestDifference> tool;  // another build of the program; no difference of the run
  std::vector<std::string> files;  // "adapter/adapter_model.safetensors": other bytes, or missing
  std::string first_tensor;  // "fold-2: encoder.layer.0...lora_A.weight"; "" when all are equal
  std::string
      first_step;  // "12", or "12 of fold 2"; "" when all losses and gradient norms are equal

  bool equal() const { return differences.empty() && files.empty(); }
};

// The model is the one that both adapters belong to.
RunComparison compare_runs(const RunFolder& before, const RunFolder& after, const Model& model);

}  // namespace inlay
