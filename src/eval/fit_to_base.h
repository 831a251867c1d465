// What a tokenizer gave, as a base can read it.
#pragma once

#include "models/token_batch.h"
#include "nn/base_facts.h"

namespace inlay {

// Drops token types where the base has none. kInput for a sequence without tokens, and for an id
// beyond the model's vocabulary: the tokenizer belongs to another model.
void fit_to_base(TokenSequence& sequence, const BaseFacts& base);

}  // namespace inlay
