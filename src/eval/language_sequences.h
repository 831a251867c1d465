// Conversations, texts and preferences as a language model is trained on them: sequences of tokens,
// and those that are asked for.
#pragma once

#include "eval/encoded_example.h"

namespace inlay {

// The sequences of every conversation of the data, in order: none where no token of it is asked
// for, several where it is split. The chat template is the model's own, in the base's folder.
// REQUIRES: data.kind is kLanguage.
std::vector<EncodedExample> encode_language(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens,
                                            const LanguageReading& reading);

// The two sequences of every preference of the data, in order: the prompt with the chosen answer,
// then with the rejected one, of which the answers are asked for. What is beyond max_tokens is cut
// at the end; a pair of which an answer has nothing left is left out, both its sequences counted as
// having nothing in the loss. `counts` may be null. REQUIRES: data.kind is kPreference.
std::vector<EncodedExample> encode_preferences(const Dataset& data, const Tokenizer& tokenizer,
                                               const BaseFacts& base, int64_t max_tokens,
                                               EncodingCounts* counts);

}  // namespace inlay
