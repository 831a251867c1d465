// What a base needs to read and write text: of a model folder from its files, of a GGUF file from
// its metadata.
#pragma once

#include <filesystem>
#include <optional>

#include "text/chat/chat_template_files.h"
#include "text/tokenizer.h"

namespace inlay {

// Of a GGUF file: what "tokenizer.ggml." says where it says enough, else a tokenizer.json beside
// the file. kInput when there is neither, naming what the metadata lack.
Tokenizer load_base_tokenizer(const std::filesystem::path& model);

// Nothing when there is none.
std::optional<ModelChatTemplate> load_base_chat_template(const std::filesystem::path& model);

}  // namespace inlay
