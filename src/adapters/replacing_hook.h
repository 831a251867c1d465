// The hook of methods that train copies of the base's own tensors: BitFit, the last layers,
// everything.
#pragma once

#include <memory>
#include <string>

#include "adapters/method.h"

namespace inlay {

class ReplacingHook : public SiteHook {
 public:
  explicit ReplacingHook(Replacements replacements) : replacements_(replacements) {}
  Replacements replacements() override { return replacements_; }
  bool merge(MergedTensors& merged) override;

 private:
  Replacements replacements_;
};

// Copies the site's weight and bias, as far as it has them and they are wanted, into parameters
// named as Hugging Face names the tensors, after `prefix`.
struct WantedTensors {
  bool weight = true;
  bool bias = true;
  std::string prefix;
};
std::unique_ptr<SiteHook> replace_tensors(const Site& site, ParameterMaker& make,
                                          const WantedTensors& wanted);

}  // namespace inlay
