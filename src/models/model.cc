#include "models/model.h"

#include <algorithm>
#include <cctype>

#include "formats/gguf_checkpoint.h"
#include "models/base_text.h"
#include "models/family.h"

namespace inlay {

Variable Model::encode(Context& context, const TokenBatch& batch) const {
  return encode_rest(context, batch, encode_first(context, batch, 0), 0);
}

Variable Model::pooled(Context&, const Variable&, const TokenBatch&) const {
  fail(ErrorKind::kInternal, "this base has no pooler");
}

Variable Model::masked_lm_logits(Context&, const Variable&) const {
  fail(ErrorKind::kInternal, "this base has no masked-LM head");
}

Variable Model::continue_from(Context&, const TokenBatch&, KeyValueCache&) const {
  fail(ErrorKind::kInternal, "this base is no language model");
}

Variable Model::next_token_logits(Context&, const Variable&) const {
  fail(ErrorKind::kInternal, "this base is no language model");
}

Variable Model::next_token_loss(Context&, const Variable&, const std::vector<int32_t>&,
                                double) const {
  fail(ErrorKind::kInternal, "this base is no language model");
}

std::optional<BlockFormat> quantisation_named(const std::string& name) {
  if (name == "none") return std::nullopt;
  std::string known = "none";
  for (const BlockFormatInfo& info : block_formats()) {
    if (info.quantise == nullptr) continue;
    std::string small(info.name);
    std::transform(small.begin(), small.end(), small.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (small == name) return info.format;
    known += ", " + small;
  }
  fail(ErrorKind::kUsage, "no weights are held as \"{}\"; there are {}", name, known);
}

std::shared_ptr<const Model> load_model(const std::filesystem::path& folder,
                                        const ModelParts& parts) {
  require(std::filesystem::is_directory(folder) || is_gguf_file(folder), ErrorKind::kInput,
          "{}: expected a model folder with config.json and model.safetensors, or a .gguf file",
          folder.string());
  auto config = std::make_shared<ModelConfig>(read_model_config(folder));
  const Family& family = find_family(*config);
  BaseFacts facts;
  facts.model_type = config->text("model_type");
  facts.folder = folder;
  family.describe(*config, facts);

  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(folder));
  WeightSource weights(checkpoint, facts.prefix, folder.string());
  if (parts.quantise.has_value()) weights.quantise(*parts.quantise);
  std::unique_ptr<Model> model = family.build(*config, facts, parts, weights);
  weights.finish(family.head_tensors, family.buffers);
  facts.unused = weights.unused();
  facts.token_ids = [folder](const std::string& text) {
    return load_base_tokenizer(folder).encode(text, {.add_special_tokens = false}).ids;
  };
  facts.special_tokens = [folder]() { return load_base_tokenizer(folder).encode("").ids; };
  facts.root_hash = checkpoint->root_hash();
  facts.has_pooler = model->has_pooler();
  facts.sites = std::move(model->facts_.sites);
  model->facts_ = std::move(facts);
  model->checkpoint_ = checkpoint;
  model->config_ = config;
  return model;
}

}  // namespace inlay
