// Which token plays which role ("cls", "pad", ...), from the configuration files beside a tokenizer
// or by its name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace inlay::text {

// "cls", "sep", "pad", "unk", "mask", "bos", "eos".
std::span<const std::string_view> special_roles();

// What tokenizer_config.json or special_tokens_map.json say under "<role>_token": a string, or an
// object with "content".
std::optional<std::string> configured_token(const Json& config, std::string_view role);

// Names that tokens of a role usually have, the commonest first.
std::span<const std::string_view> usual_names(std::string_view role);

}  // namespace inlay::text
