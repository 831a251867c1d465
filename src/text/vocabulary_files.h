// Model folders from before tokenizer.json: builds the equivalent file from their vocabulary and
// settings.
#pragma once

#include <filesystem>
#include <optional>

#include "base/json_fwd.h"

namespace inlay::text {

// `config` is tokenizer_config.json, or an empty object. Nothing when the folder has neither
// vocab.txt nor vocab.json with merges.txt.
std::optional<Json> tokenizer_from_vocabulary(const std::filesystem::path& folder,
                                              const Json& config);

}  // namespace inlay::text
