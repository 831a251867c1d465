// Choices as a language model without a head scores them: each goes on from its question in a
// sequence of its own, which asks for the choice's tokens.
//
//   question "The sky is", choices "blue", "a stone":
//
//     BOS  The  sky  is                 asked at "is": blue
//     BOS  The  sky  is   a             asked at "is", "a": a, stone
//
// Question and choice meet as in EleutherAI's lm-evaluation-harness (TemplateLM._encode_pair): a
// space stands between them, blanks at the question's end belong to the choice, and the tokens are
// those of the whole text, of which as many are the question's as it has alone. What is too long
// loses tokens at its beginning, BOS among them, as there.
#pragma once

#include "eval/encoded_example.h"

namespace inlay {

// An example for each of the data, with a sequence and its answers for each choice. Where there is
// a context, it stands before the question with a space between. Special tokens that the data
// writes stay text; those of a text's beginning, such as BOS, are as the tokenizer adds them.
// `max_tokens` counts tokens that are read: the last one of a choice is not. kInput, with file and
// line, for a choice that is longer than that or adds no token to its question.
// REQUIRES: data.kind is kMultipleChoice.
std::vector<EncodedExample> encode_continuations(const Dataset& data, const Tokenizer& tokenizer,
                                                 const BaseFacts& base, int64_t max_tokens);

}  // namespace inlay
