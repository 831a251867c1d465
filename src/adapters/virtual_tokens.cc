#include "adapters/virtual_tokens.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace inlay {
namespace {

constexpr const char* kInputs = "inputs_embeds";
constexpr const char* kAfterFirst = "prefix_after_bos";

class PromptHook : public SiteHook {
 public:
  PromptHook(Parameter* rows, DerivedParameter* made, int64_t at)
      : rows_(rows), made_(made), at_(at) {}
  VirtualTokens virtual_tokens() override {
    return {made_ == nullptr ? rows_ : &made_->current(), at_};
  }

 private:
  Parameter* rows_;
  DerivedParameter* made_;
  int64_t at_;
};

int64_t place_of(const PromptPlace& place) { return place.combine == kAfterFirst ? 1 : 0; }

}  // namespace

void PromptPlace::fields(FieldVisitor& visit) {
  visit.choice("placement", placement, {"after_embeddings", kInputs},
               "after_embeddings leaves the positions of the text alone; inputs_embeds moves them "
               "on, as PEFT does");
  visit.choice("combine", combine, {"prefix", kAfterFirst},
               "before the text, or behind its first token");
}

bool PromptPlace::is_of_peft() const { return placement == kInputs; }

int64_t PromptPlace::positions_taken(int64_t count) const {
  return placement == kInputs ? count : 0;
}

std::vector<const Site*> PromptPlace::select(const BaseFacts& base,
                                             const std::string& method) const {
  require(placement != kInputs || combine != kAfterFirst, ErrorKind::kUsage,
          "{}: combine is {} with placement {}; use combine=prefix, or "
          "placement=after_embeddings",
          method, combine, placement);
  SiteRole role = placement == kInputs ? SiteRole::kInputEmbeddings : SiteRole::kEmbeddingOutput;
  for (const Site* site : base.sites) {
    if (site->kind == SiteKind::kPrompt && site->role == role) return {site};
  }
  fail(ErrorKind::kUsage, "{}: this {} base has no place for virtual tokens; use lora", method,
       base.model_type);
}

void check_virtual_tokens(const BaseFacts& base, int64_t count, const std::string& method) {
  require(!base.images, ErrorKind::kUsage, "{}: this {} base reads images; use vpt", method,
          base.model_type);
  require(count >= 1 && count < base.max_tokens, ErrorKind::kUsage,
          "{}: num_virtual_tokens is {}; expected 1 to {}, fewer than the base has positions",
          method, count, base.max_tokens - 1);
}

std::unique_ptr<SiteHook> make_prompt_hook(Parameter& rows, const PromptPlace& place) {
  return std::make_unique<PromptHook>(&rows, nullptr, place_of(place));
}

std::unique_ptr<SiteHook> make_prompt_hook(DerivedParameter& rows, const PromptPlace& place) {
  return std::make_unique<PromptHook>(nullptr, &rows, place_of(place));
}

Tensor word_rows(const BaseFacts& base, const std::vector<int32_t>& ids, int64_t count) {
  auto words = std::find_if(base.sites.begin(), base.sites.end(), [](const Site* site) {
    return site->kind == SiteKind::kEmbedding;  // the word table is the first
  });
  ensure(words != base.sites.end() && !ids.empty(), "{} tokens for a prompt", ids.size());
  const Tensor& table = (*words)->weight;
  Tensor rows = Tensor::empty({count, table.dim(1)}, DType::kF32);
  for (int64_t i = 0; i < count; ++i) {
    int32_t id = ids[static_cast<std::size_t>(i) % ids.size()];
    require(id >= 0 && id < table.dim(0), ErrorKind::kInput,
            "token {} of a prompt is not among the {} of the base's vocabulary; its tokenizer "
            "belongs to another model",
            id, table.dim(0));
    Tensor row = table.rows(id, id + 1).to(DType::kF32);
    std::memcpy(rows.rows(i, i + 1).mutable_raw(), row.raw(), row.byte_count());
  }
  return rows;
}

}  // namespace inlay
