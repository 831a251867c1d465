#include "base/nearest.h"

#include <algorithm>
#include <utility>

namespace inlay {

namespace {
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kShortestBeginning = 3;
}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kLongestName);
  b = b.substr(0, kLongestName);
  // Three rows of the table d[i][j] = distance of a[0, i) to b[0, j).
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& known,
                                       std::size_t count) {
  std::vector<std::pair<std::size_t, std::size_t>> ranked;  // (distance, place)
  ranked.reserve(known.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    bool begun = name.size() >= kShortestBeginning && known[i].starts_with(name);
    ranked.emplace_back(begun ? 1 : edit_distance(name, known[i]), i);
  }
  count = std::min(count, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count),
                    ranked.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(known[ranked[i].second]);
  return names;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  const auto names = nearest_names(name, known, 1);
  return names.empty() ? std::string() : names.front();
}

}  // namespace inlay
