#include "data/labels.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "data/encoding.h"

namespace inlay {
namespace {

std::optional<std::int64_t> as_integer(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool all_integers(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [](const auto& name) { return as_integer(name).has_value(); });
}

}  // namespace

LabelList LabelList::of(const std::vector<std::string>& labels) {
  std::set<std::string> different(labels.begin(), labels.end());
  std::vector<std::string> names(
      different.begin(), different.end());  // std::string compares bytes, whatever the locale
  if (all_integers(names)) {
    std::stable_sort(names.begin(), names.end(),
                     [](const auto& a, const auto& b) { return *as_integer(a) < *as_integer(b); });
  }
  LabelList list = ordered(std::move(names));
  list.indices_allowed_ = false;
  return list;
}

LabelList LabelList::ordered(std::vector<std::string> names) {
  LabelList list;
  list.names_ = std::move(names);
  list.indices_allowed_ = true;
  for (std::size_t i = 0; i < list.names_.size(); ++i) {
    const std::string& name = list.names_[i];
    bool added = list.index_.emplace(name, static_cast<std::int32_t>(i)).second;
    require(added, ErrorKind::kInput,
            "class {} appears twice in the list of classes; expected different names",
            excerpt(name));
    if (as_integer(name)) list.indices_allowed_ = false;
  }
  return list;
}

std::optional<std::int32_t> LabelList::find(std::string_view label) const {
  auto found = index_.find(label);
  if (found != index_.end()) return found->second;
  auto index = indices_allowed_ ? as_integer(label) : std::nullopt;
  if (!index || *index < 0 || *index >= static_cast<std::int64_t>(names_.size()))
    return std::nullopt;
  return static_cast<std::int32_t>(*index);
}

}  // namespace inlay
