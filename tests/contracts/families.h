// The families whose tiny models the contracts run over, as the golden folders have them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/source_dir.h"
#include "models/family.h"

namespace inlay {

// The folder of a family's tiny model with a head that tells the classes of texts or of images;
// empty where there is none.
inline std::filesystem::path tiny_model_folder(const Family& family) {
  namespace fs = std::filesystem;
  fs::path models = source_dir() / "tests/golden/models";
  fs::path of_texts = models / (family.name + "-single-label");
  if (fs::exists(of_texts)) return of_texts;
  std::string name = family.name;
  std::replace(name.begin(), name.end(), '_', '-');
  fs::path of_images = models / (name + "-image");
  if (fs::exists(of_images)) return of_images;
  std::set<fs::path> variants;  // "resnet-basic-image"
  for (const fs::directory_entry& entry : fs::directory_iterator(models)) {
    std::string folder = entry.path().filename().string();
    if (folder.starts_with(name + "-") && folder.ends_with("-image")) variants.insert(entry.path());
  }
  return variants.empty() ? fs::path() : *variants.begin();
}

// Those with a tiny model; method_cases_test.cc sees to it that all have one.
inline std::vector<const Family*> contract_families() {
  std::vector<const Family*> families = all_families();
  std::erase_if(families, [](const Family* family) { return tiny_model_folder(*family).empty(); });
  return families;
}

// What the configuration of the family's tiny model says.
inline BaseFacts tiny_facts(const Family& family) {
  BaseFacts facts;
  family.describe(ModelConfig::read(tiny_model_folder(family) / "config.json"), facts);
  return facts;
}

// What a head that tells classes reads.
inline int64_t head_width(const BaseFacts& base) {
  return base.channels_of(base.sequence_head.input);
}

// Whether a token sees those before it alone.
inline bool is_decoder(const Family& family) { return tiny_facts(family).causal; }

inline std::vector<const Family*> text_families() {
  std::vector<const Family*> families = contract_families();
  std::erase_if(families, [](const Family* family) { return tiny_facts(*family).images; });
  return families;
}

// By name: those with a masked-LM head and heads for questions.
inline std::vector<std::string> encoder_families() {
  std::vector<std::string> names;
  for (const Family* family : text_families()) {
    if (!is_decoder(*family)) names.push_back(family->name);
  }
  return names;
}

}  // namespace inlay
