#include "text/chat/arguments.h"

#include <algorithm>

#include "text/chat/compare.h"

namespace inlay::chat {

Bound::Bound(std::string_view function, const Arguments& arguments,
             std::initializer_list<std::string_view> parameters)
    : function_(function), parameters_(parameters), values_(parameters.size()) {
  if (arguments.positional.size() > parameters.size()) {
    refuse("{} takes at most {} arguments, found {}", function, parameters.size(),
           arguments.positional.size());
  }
  std::copy(arguments.positional.begin(), arguments.positional.end(), values_.begin());
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters_.begin(), parameters_.end(), name);
    if (found == parameters_.end()) refuse("{} has no argument '{}'", function, name);
    auto& slot = values_[static_cast<std::size_t>(found - parameters_.begin())];
    if (slot) refuse("{} gets its argument '{}' twice", function, name);
    slot = value;
  }
}

Value Bound::required(std::size_t i) const {
  if (!values_[i]) refuse("{} needs an argument '{}'", function_, parameters_[i]);
  return *values_[i];
}

int64_t Bound::integer(std::size_t i, int64_t fallback) const {
  if (!values_[i]) return fallback;
  if (!values_[i]->is_integral()) fail_type(i, "an integer");
  return values_[i]->integer();
}

bool Bound::flag(std::size_t i, bool fallback) const {
  return values_[i] ? truth(*values_[i]) : fallback;
}

std::optional<Value> Bound::text(std::size_t i) const {
  if (!values_[i] || values_[i]->is_none()) return std::nullopt;
  if (!values_[i]->is_string()) fail_type(i, "a string");
  return values_[i];
}

Value Bound::required_text(std::size_t i) const {
  if (!required(i).is_string()) fail_type(i, "a string");
  return *values_[i];
}

void Bound::fail_type(std::size_t i, const char* expected) const {
  if (values_[i]->is_undefined()) {
    refuse("{} needs {} as '{}', but {}", function_, expected, parameters_[i],
           values_[i]->undefined_reason());
  }
  refuse("{} needs {} as '{}', found a {}", function_, expected, parameters_[i],
         values_[i]->type_name());
}

}  // namespace inlay::chat
