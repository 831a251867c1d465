// A base to pretrain: a configuration, the weights that Hugging Face would start from, and a
// tokenizer, in a model folder like any other.
#pragma once

#include <cstdint>
#include <filesystem>

namespace inlay {

// Writes `folder`, which must not be there, whole or not at all: weights in float32 from the seed,
// and the tokenizer's files of `tokenizer` as they are. kInput where the configuration's family is
// no language model, or its vocabulary is smaller than the tokenizer's.
void make_new_base(const std::filesystem::path& config, const std::filesystem::path& tokenizer,
                   const std::filesystem::path& folder, uint64_t seed);

}  // namespace inlay
