// Conversations and texts as a language model is trained on them: sequences of tokens, and those
// that are asked for.
#pragma once

#include "eval/encoded_example.h"

namespace inlay {

// The sequences of every conversation of the data, in order: none where no token of it is asked
// for, several where it is split. The chat template is the model's own, in the base's folder.
// REQUIRES: data.kind is kLanguage.
std::vector<EncodedExample> encode_language(const Dataset& data, const Tokenizer& tokenizer,
                                            const BaseFacts& base, int64_t max_tokens,
                                            const LanguageReading& reading);

}  // namespace inlay
