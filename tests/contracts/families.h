// The families whose tiny models the contracts run over, as the golden folders have them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/source_dir.h"
#include "models/family.h"

namespace inlay {

// Whether a token sees those before it alone, as the configuration of the family's tiny model says.
inline bool is_decoder(const Family& family) {
  std::filesystem::path folder =
      source_dir() / "tests/golden/models" / (family.name + "-single-label");
  BaseFacts facts;
  family.describe(ModelConfig::read(folder / "config.json"), facts);
  return facts.causal;
}

// By name: those with a masked-LM head and heads for questions.
inline std::vector<std::string> encoder_families() {
  std::vector<std::string> names;
  for (const Family* family : all_families()) {
    if (!is_decoder(*family)) names.push_back(family->name);
  }
  return names;
}

}  // namespace inlay
