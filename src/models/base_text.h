// What a base needs to read and write text: of a model folder from its files, of a GGUF file from
// its metadata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "text/chat/chat_template_files.h"
#include "text/tokenizer.h"

namespace inlay {

// Of a GGUF file: what "tokenizer.ggml." says where it says enough, else a tokenizer.json beside
// the file. kInput when there is neither, naming what the metadata lack.
Tokenizer load_base_tokenizer(const std::filesystem::path& model);

// Nothing when there is none.
std::optional<ModelChatTemplate> load_base_chat_template(const std::filesystem::path& model);

// The tokens that end a text by the metadata of a GGUF file; none of a folder, which names them in
// its generation_config.json.
std::vector<int32_t> load_base_ending_tokens(const std::filesystem::path& model);

}  // namespace inlay
