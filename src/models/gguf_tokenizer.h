// The tokenizer that a GGUF file's metadata describe ("tokenizer.ggml."), as the tokenizer.json
// that gives the same tokens, and back. Of llama.cpp's kinds (llama-vocab.cpp) there are
//
//   gpt2    byte-level pairs in the order of merges; "pre" names how a text is cut before that
//   llama   SentencePiece pairs by score, with bytes for what no piece has
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/gguf_metadata.h"
#include "text/chat/chat_template_files.h"

namespace inlay {

struct GgufTokenizer {
  Json file;    // a tokenizer.json
  Json config;  // a tokenizer_config.json: roles of special tokens
};

// Nothing where the metadata hold no tokenizer, or one of a kind that is not known; `lack` then
// says which. Metadata that contradict themselves are kInput.
std::optional<GgufTokenizer> gguf_tokenizer(const GgufMetadata& metadata, std::string& lack);

// The values of "tokenizer.ggml.pre" that are known, those that mean the same once.
const std::vector<std::string>& gguf_pre_tokenizers();

// The tokens that end a text, each once: eos, eot and eom, then those that llama.cpp tells by their
// texts, such as "<|im_end|>". None where the metadata have no tokens.
std::vector<int32_t> gguf_ending_tokens(const GgufMetadata& metadata);

// Of "tokenizer.chat_template"; nothing without it.
std::optional<ModelChatTemplate> gguf_chat_template(const GgufMetadata& metadata);

// Sets what describes the tokenizer of a model folder with `vocabulary` ids, its chat template and
// the token that ends a turn. Where reading that back would not give the same tokenizer nothing is
// set, and the result says why; it is empty otherwise.
std::string set_gguf_tokenizer(GgufMetadata& metadata, const std::filesystem::path& folder,
                               int64_t vocabulary);

}  // namespace inlay
