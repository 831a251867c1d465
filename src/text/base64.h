// Base64 (RFC 4648, section 4), as binary data stands in JSON files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inlay::text {

// Nothing when `text` is not padded base64 of the standard alphabet, without white space.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace inlay::text
