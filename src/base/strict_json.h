// What every JSON parser here refuses while it runs, before anything large is built: duplicate
// keys, deep nesting, and where it is asked for, large objects. For the sources that parse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace inlay {

template <class AnyJson>
class StrictCallback {
 public:
  explicit StrictCallback(std::string_view where, std::size_t max_keys = SIZE_MAX)
      : where_(where), max_keys_(max_keys) {}

  bool operator()(int depth, typename AnyJson::parse_event_t event, AnyJson& parsed) {
    require(depth <= kMaxDepth, ErrorKind::kInput, "{}: JSON is nested deeper than {} levels",
            where_, kMaxDepth);
    using Event = typename AnyJson::parse_event_t;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key) add_key(parsed.template get_ref<const std::string&>());
    return true;
  }

 private:
  static constexpr int kMaxDepth = 256;

  void add_key(const std::string& key) {
    require(keys_.back().insert(key).second, ErrorKind::kInput,
            "{}: key \"{}\" appears twice in one JSON object; remove one of them", where_, key);
    require(keys_.back().size() <= max_keys_, ErrorKind::kInput,
            "{}: a JSON object has more than {} keys; expected at most as many", where_, max_keys_);
  }

  std::string_view where_;
  std::size_t max_keys_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace inlay
