// JSON whose objects keep the order of their keys, with the limits that untrusted files need.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace inlay {

// As parse_json() does it, and with at most 1,024 keys in an object: finding one takes time in
// proportion to their number. `where` names the source in messages.
nlohmann::ordered_json parse_ordered_json(std::string_view text, std::string_view where);

}  // namespace inlay
