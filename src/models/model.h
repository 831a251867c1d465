// A loaded base: immutable, shared by any number of contexts. What runs it (memory, adapters,
// gates) is in the Context.
//
//   std::shared_ptr<const Model> model = load_model("all-MiniLM-L6-v2");
//   Context context(DType::kBF16);
//   Variable hidden = model->encode(context, batch);
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/model_config.h"
#include "models/shared_rows.h"
#include "models/token_batch.h"
#include "nn/base_facts.h"
#include "nn/context.h"

namespace inlay {

// Which parts beyond the encoder to load, where the base has them.
struct ModelParts {
  bool masked_lm = false;
};

class Model {
 public:
  virtual ~Model() = default;
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // The last layer's output, (tokens, hidden), full precision. Begins a forward pass of the
  // context.
  virtual Variable encode(Context& context, const TokenBatch& batch) const = 0;
  // The same for several adapters at once, each of `asked` as encode() gives it alone, with what
  // they have in common computed once. The context's own adapters are not used, and are empty
  // afterwards. Adds to `work` what was computed.
  virtual std::vector<Variable> encode_several(Context& context,
                                               std::span<const AdaptedBatch> asked,
                                               SharedWork& work) const = 0;
  // The pooler of the pretrained base, (examples, hidden). REQUIRES: has_pooler().
  virtual bool has_pooler() const = 0;
  virtual Variable pooled(Context& context, const Variable& hidden,
                          const TokenBatch& batch) const = 0;
  // Vocabulary logits of hidden rows, (rows, vocabulary). REQUIRES: has_masked_lm().
  virtual bool has_masked_lm() const = 0;
  virtual Variable masked_lm_logits(Context& context, const Variable& rows) const = 0;

  const BaseFacts& facts() const { return facts_; }
  const std::vector<const Site*>& sites() const { return facts_.sites; }
  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const ModelConfig& config() const { return *config_; }

 protected:
  void add_site(Site& site) {
    site.index = facts_.sites.size();
    facts_.sites.push_back(&site);
  }

 private:
  friend std::shared_ptr<const Model> load_model(const std::filesystem::path&, const ModelParts&);
  BaseFacts facts_;
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::shared_ptr<const ModelConfig> config_;
};

// Reads a Hugging Face model folder. Every tensor must be used, or belong to a head that was not
// asked for; otherwise kInput with the list of names.
std::shared_ptr<const Model> load_model(const std::filesystem::path& folder,
                                        const ModelParts& parts = {});

}  // namespace inlay
