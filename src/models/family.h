// What a family file gives: the model types it answers to, how to read its configuration and build
// it.
//
// Adding a family is one file in families/ with `const Family& family_<name>()` and one line in
// families/list.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/model.h"
#include "models/weight_source.h"

namespace inlay {

struct Family {
  std::string name;                      // "bert"
  std::vector<std::string> model_types;  // values of config.json's model_type
  std::string summary;
  std::string citation;
  // Fills the facts that do not depend on the weights.
  void (*describe)(const ModelConfig& config, BaseFacts& facts);
  std::unique_ptr<Model> (*build)(const ModelConfig& config, const BaseFacts& facts,
                                  const ModelParts& parts, WeightSource& weights);
  // How the names of tensors of heads begin: files may hold them whether or not they are asked for.
  std::vector<std::string> head_tensors;
  // How the names of tensors end that hold nothing the configuration does not say.
  std::vector<std::string> buffers = {};
};

// All families, in the order of families/list.h.
std::vector<const Family*> all_families();

// The family of a config.json's model_type; kInput naming the known ones otherwise.
const Family& find_family(const ModelConfig& config);

// Whether the base in this folder or file reads images, by its configuration alone.
bool reads_images(const std::filesystem::path& model);

}  // namespace inlay
