// What prompt tuning and P-tuning share: where virtual tokens stand, how they start, and the hook
// that sets them there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/method.h"

namespace inlay {

struct PromptPlace {
  // after_embeddings: what the first layer reads, with the positions of the text as they were
  // (AdapterHub). inputs_embeds: word embeddings before positions and norm; the text's positions
  // move on, and a head that reads the first token reads the first virtual one (PEFT).
  std::string placement = "after_embeddings";
  std::string combine = "prefix";  // or prefix_after_bos: behind the text's first token

  void fields(FieldVisitor& visit);
  bool is_of_peft() const;
  // How many of `count` virtual tokens take a position of the base.
  int64_t positions_taken(int64_t count) const;
  // The one site there; `method` is its name in messages.
  std::vector<const Site*> select(const BaseFacts& base, const std::string& method) const;
};

// kUsage unless the base reads texts and 1 <= count < its positions.
void check_virtual_tokens(const BaseFacts& base, int64_t count, const std::string& method);

// Sets the rows (n, hidden) of a parameter, or of what is made from others.
std::unique_ptr<SiteHook> make_prompt_hook(Parameter& rows, const PromptPlace& place);
std::unique_ptr<SiteHook> make_prompt_hook(DerivedParameter& rows, const PromptPlace& place);

// The word embeddings of these tokens, F32; the tokens are repeated to `count` rows or cut to them.
Tensor word_rows(const BaseFacts& base, const std::vector<int32_t>& ids, int64_t count);

}  // namespace inlay
