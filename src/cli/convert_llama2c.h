// A model file of llama2.c and its tokenizer as a Hugging Face folder.
#pragma once

#include <filesystem>

#include "base/json.h"

namespace inlay::cli {

// What was done, as --json prints it. Errors are those of import_llama2c() and of the tokenizer.
Json convert_llama2c(const std::filesystem::path& checkpoint,
                     const std::filesystem::path& tokenizer, const std::filesystem::path& out);

}  // namespace inlay::cli
