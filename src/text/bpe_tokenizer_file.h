// A learnt byte-level BPE as the files of a Hugging Face model folder, for Tokenizer::load and for
// the `tokenizers` and `transformers` libraries.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "text/bpe_trainer.h"

namespace inlay::text {

// Whether encoding sets the first special token before every text.
enum class BeginOfText { kLeaveOut, kAdd };

// The model in tokenizer.json: ids by token, and merges as pairs of tokens, the earliest first.
// With `ignore_merges` a word that is a token stays whole.
Json bpe_model_json(Json ids, Json merges, bool ignore_merges);

// tokenizer.json: no normalizer, GPT-2's words, the vocabulary and merges, special tokens.
std::string bpe_tokenizer_json(const LearntBpe& learnt, BeginOfText begin);

// tokenizer_config.json: which token begins and ends a text, and how many tokens the model takes.
std::string bpe_tokenizer_config_json(const LearntBpe& learnt, int64_t max_length);

}  // namespace inlay::text
