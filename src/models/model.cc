#include "models/model.h"

#include "models/family.h"
#include "text/tokenizer.h"

namespace inlay {

std::shared_ptr<const Model> load_model(const std::filesystem::path& folder,
                                        const ModelParts& parts) {
  require(std::filesystem::is_directory(folder), ErrorKind::kInput,
          "{}: expected a model folder with config.json and model.safetensors", folder.string());
  auto config = std::make_shared<ModelConfig>(ModelConfig::read(folder / "config.json"));
  const Family& family = find_family(*config);
  BaseFacts facts;
  facts.model_type = config->text("model_type");
  facts.folder = folder;
  family.describe(*config, facts);

  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(folder));
  WeightSource weights(checkpoint, facts.prefix, folder.string());
  std::unique_ptr<Model> model = family.build(*config, facts, parts, weights);
  weights.finish(family.head_tensors);
  facts.unused = weights.unused();
  facts.token_ids = [folder](const std::string& text) {
    return Tokenizer::load(folder).encode(text, {.add_special_tokens = false}).ids;
  };
  facts.special_tokens = [folder]() { return Tokenizer::load(folder).encode("").ids; };
  facts.root_hash = checkpoint->root_hash();
  facts.has_pooler = model->has_pooler();
  facts.sites = std::move(model->facts_.sites);
  model->facts_ = std::move(facts);
  model->checkpoint_ = checkpoint;
  model->config_ = config;
  return model;
}

}  // namespace inlay
