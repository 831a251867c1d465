#include "data/chat/pack_sequences.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.h"

namespace inlay {

double Packing::fill() const {
  if (groups.empty()) return 0.0;
  return static_cast<double>(tokens) /
         (static_cast<double>(groups.size()) * static_cast<double>(max_tokens));
}

Packing pack_sequences(std::span<const std::int64_t> lengths, std::int64_t max_tokens) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  Packing packing{.groups = {}, .max_tokens = max_tokens};
  std::set<std::pair<std::int64_t, std::size_t>> room;  // what is left of a group, and which
  for (std::size_t index : order) {
    std::int64_t length = lengths[index];
    require(length >= 1 && length <= max_tokens, ErrorKind::kUsage,
            "sequence {} has {} tokens; expected 1 to {}, so cut or split it before packing", index,
            length, max_tokens);
    auto tightest = room.lower_bound({length, 0});
    bool opens = tightest == room.end();
    std::pair<std::int64_t, std::size_t> place =
        opens ? std::pair(max_tokens, packing.groups.size()) : *tightest;
    if (opens) packing.groups.emplace_back();
    if (!opens) room.erase(tightest);
    packing.groups[place.second].push_back(index);
    packing.tokens += length;
    room.insert({place.first - length, place.second});
  }
  for (auto& group : packing.groups) std::sort(group.begin(), group.end());
  return packing;
}

}  // namespace inlay
