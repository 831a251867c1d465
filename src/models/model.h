// A loaded base: immutable, shared by any number of contexts. What runs it (memory, adapters,
// gates) is in the Context.
//
//   std::shared_ptr<const Model> model = load_model("all-MiniLM-L6-v2");
//   Context context(DType::kBF16);
//   Variable hidden = model->encode(context, batch);
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/model_config.h"
#include "models/key_value_cache.h"
#include "models/shared_rows.h"
#include "models/token_batch.h"
#include "nn/base_facts.h"
#include "nn/context.h"

namespace inlay {

// Which parts beyond the encoder to load, where the base has them.
struct ModelParts {
  bool masked_lm = false;
  bool language_model = false;  // a decoder's output projection
  // What linear layers are held in; unset: as the files have them. Tables and the output projection
  // stay as they are (Dettmers et al. 2023, arXiv:2305.14314, section 3).
  std::optional<BlockFormat> quantise = {};
};

// "none", or a format by its name in small letters: "int8", "nf4", "q8_0", "q4_0". kUsage with
// those that there are for another one.
std::optional<BlockFormat> quantisation_named(const std::string& name);

class Model {
 public:
  virtual ~Model() = default;
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // The last layer's output, (tokens, hidden), full precision. Begins a forward pass of the
  // context.
  Variable encode(Context& context, const TokenBatch& batch) const;
  // The same in two parts, which may meet before any layer from 0 to BaseFacts::layers: what the
  // first `layers` layers make of the batch, and what the others make of that. The first part
  // begins a forward pass of the context.
  virtual Variable encode_first(Context& context, const TokenBatch& batch,
                                int64_t layers) const = 0;
  virtual Variable encode_rest(Context& context, const TokenBatch& batch, Variable hidden,
                               int64_t layers) const = 0;
  // The same for several adapters at once, each of `asked` as encode() gives it alone, with what
  // they have in common computed once. The context's own adapters are not used, and are empty
  // afterwards. Adds to `work` what was computed.
  virtual std::vector<Variable> encode_several(Context& context,
                                               std::span<const AdaptedBatch> asked,
                                               SharedWork& work) const = 0;
  // The pooler of the pretrained base, (examples, hidden), or as wide as BaseFacts::pooled says.
  // REQUIRES: has_pooler().
  virtual bool has_pooler() const { return false; }
  virtual Variable pooled(Context& context, const Variable& hidden, const TokenBatch& batch) const;
  // Vocabulary logits of hidden rows, (rows, vocabulary). REQUIRES: has_masked_lm().
  virtual bool has_masked_lm() const { return false; }
  virtual Variable masked_lm_logits(Context& context, const Variable& rows) const;
  // What encode() gives for tokens that follow those in the cache, which is longer by them
  // afterwards. A prompt's virtual tokens are set before the first ones alone. Nothing may be
  // recorded, and the adapters are those of all sequences. REQUIRES: has_language_model().
  virtual Variable continue_from(Context& context, const TokenBatch& batch,
                                 KeyValueCache& cache) const;
  // Logits of the token that follows each of these hidden rows, (rows, vocabulary), and the cross
  // entropy of `targets` among them, as in autograd/ops/projected_cross_entropy.h, for which no
  // such array is made unless an adapter changes the projection. REQUIRES: has_language_model().
  virtual bool has_language_model() const { return false; }
  virtual Variable next_token_logits(Context& context, const Variable& rows) const;
  virtual Variable next_token_loss(Context& context, const Variable& rows,
                                   const std::vector<int32_t>& targets, double normalizer) const;

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

// Reads a Hugging Face model folder, or a GGUF file (formats/gguf_checkpoint.h), whose linear
// layers stay in the blocks that it holds them in. Every tensor must be used, or belong to a head
// that was not asked for; otherwise kInput with the list of names.
std::shared_ptr<const Model> load_model(const std::filesystem::path& folder,
                                        const ModelParts& parts = {});

}  // namespace inlay
