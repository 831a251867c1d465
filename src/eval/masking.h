// Which tokens of a text a masked language model has to name, and what it sees in their place:
// Devlin et al. 2018, section 3.1. Each token is chosen with probability 0.15; of the chosen, 80 %
// become the mask token, 10 % a random token and 10 % stay. Special tokens are neither chosen nor
// put in. A text has at least one chosen token if it has an ordinary one at all.
//
//   Masking masking(tokenizer, base.vocabulary);
//   MaskedText masked = masking.hide(sequence, {.key = stream.key(), .epoch = 3, .example = 17});
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "models/token_batch.h"
#include "text/tokenizer.h"

namespace inlay {

// What the random numbers of a text are a function of, besides the place of the token.
struct MaskingDraw {
  PhiloxKey key;
  uint32_t epoch = 0;
  uint32_t example = 0;  // its index in the data set, so that no order of examples matters
};

struct MaskedText {
  TokenSequence tokens;          // as the model sees it, `asked` about the chosen places
  std::vector<int32_t> answers;  // what stood at each of them
};

class Masking {
 public:
  // A tokenizer without a mask token, or one that has nothing but special tokens, is kInput.
  Masking(const Tokenizer& tokenizer, int64_t vocabulary);

  // A text of special tokens alone is asked about its first token, with kIgnoredLabel as the
  // answer.
  MaskedText hide(const TokenSequence& text, const MaskingDraw& draw) const;
  // The text as it is, asked about the mask tokens in it; their answers are kIgnoredLabel.
  MaskedText as_given(const TokenSequence& text) const;

  int32_t mask() const { return mask_; }

 private:
  bool ordinary(int32_t id) const { return ordinary_[static_cast<std::size_t>(id)] != 0; }

  int32_t mask_;
  std::vector<uint8_t> ordinary_;      // by id
  std::vector<int32_t> replacements_;  // all ordinary ids
};

}  // namespace inlay
