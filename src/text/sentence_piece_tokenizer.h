// Model folders with a SentencePiece file in the place of a tokenizer.json: builds the equivalent
// file, as Hugging Face's converters do.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/json_fwd.h"
#include "text/sentence_piece_model.h"

namespace inlay::text {

// `config` is tokenizer_config.json, or an empty object; its tokenizer_class decides which special
// tokens frame a text. Without one, byte-pair encodings are read as Llama's, unigram models as T5's
// where they have an end token only. Nothing when the folder has none of tokenizer.model,
// spiece.model and sentencepiece.bpe.model.
std::optional<Json> tokenizer_from_sentence_piece(const std::filesystem::path& folder,
                                                  const Json& config);

// The tokenizer.json of a byte-pair encoding with Llama's special tokens, as far as `config` does
// not say otherwise.
Json tokenizer_json_from_pieces(SentencePieceModel model, const Json& config,
                                const std::string& place);

// The tokenizer.json of a llama2.c tokenizer file (tokenizer.bin, tok512.bin).
Json tokenizer_json_from_llama2c(const std::filesystem::path& path);

// The merges that make a BPE of scored pieces: every way to make one piece of two others, those of
// the highest score first.
Json merges_from_pieces(const SentencePieceModel& model, const std::string& place);

}  // namespace inlay::text
