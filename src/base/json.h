// JSON with the limits that untrusted files need. Include "base/json_fwd.h" in headers that only
// pass Json on.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace inlay {

// Parses strictly: UTF-8 only, at most 256 levels deep, no duplicate keys. `where` names the source
// in messages.
Json parse_json(std::string_view text, std::string_view where);

// Reads and parses a file of at most `max_bytes`.
Json read_json(const std::filesystem::path& path, std::size_t max_bytes = 512u << 20);

// Keys sorted, no spaces, numbers in shortest round-trip form: equal values give equal bytes.
std::string canonical_json(const Json& value);

// Sorted keys, two spaces of indentation and a final newline, as people read it.
std::string pretty_json(const Json& value);

// Typed access that names the place when a member is missing or of another type.
//   auto hidden = json_get<int64_t>(config, "hidden_size", "config.json");
template <class T>
T json_get(const Json& object, const char* key, std::string_view where);

template <class T>
T json_get_or(const Json& object, const char* key, T fallback, std::string_view where) {
  if (!object.contains(key) || object.at(key).is_null()) return fallback;
  return json_get<T>(object, key, where);
}

}  // namespace inlay
