// Prompts as a language model reads them: plain text, or a conversation in the model's template.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "text/chat/chat_template_files.h"
#include "text/tokenizer.h"

namespace inlay {

// The template of a model's folder; kInput saying what to do where it has none.
ModelChatTemplate require_chat_template(const std::filesystem::path& model);

// The tokens of a text to go on with: those of its beginning, such as BOS, and no EOS.
std::vector<int32_t> plain_prompt(const std::string& text, const Tokenizer& tokenizer);

// A conversation, up to where the assistant answers. Special tokens in messages stay text.
std::vector<int32_t> chat_prompt(const OrderedJson& messages, const Tokenizer& tokenizer,
                                 const ModelChatTemplate& chat_template);

// What a user says first, after the system where that says anything.
OrderedJson first_turn(const std::string& system, const std::string& user);

// The tokens that end a text: those that the metadata of a GGUF file, or a folder's
// generation_config.json or config.json, name; or else the tokenizer's own.
std::vector<int32_t> ending_tokens(const std::filesystem::path& model, const Tokenizer& tokenizer);

}  // namespace inlay
