// The token sequences of an example, by what its data are: one for a text or a pair, one per window
// of a long context, per choice, or per text that is compared.
#pragma once

#include "eval/encoded_example.h"

namespace inlay {

// Sets tokens, further, windows and truncated. Long contexts are cut into windows that overlap by
// up to 128 tokens, so nothing of them is lost; an answer that no window holds counts as truncated.
// Choices are second texts: of the context if there is one (the question before the choice, as in
// Hugging Face's SWAG example), else of the question.
void encode_sequences(EncodedExample& encoded, const Tokenizer& tokenizer, TaskKind kind,
                      int64_t max_tokens);

}  // namespace inlay
