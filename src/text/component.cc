#include "text/component.h"

#include "text/utf8.h"

namespace inlay::text {

Component::Component(const Json& value, std::string place)
    : value_(&value), place_(std::move(place)) {
  require(value.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}", place_,
          value.type_name());
}

bool Component::has(const char* key) const {
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

std::string Component::text(const char* key) const {
  return json_get<std::string>(*value_, key, place_);
}

std::string Component::text_or(const char* key, std::string fallback) const {
  return json_get_or<std::string>(*value_, key, std::move(fallback), place_);
}

bool Component::flag_or(const char* key, bool fallback) const {
  return json_get_or<bool>(*value_, key, fallback, place_);
}

int64_t Component::integer(const char* key) const {
  return json_get<int64_t>(*value_, key, place_);
}

char32_t Component::character(const char* key) const {
  const std::string value = text(key);
  require(!value.empty() && decode_utf8(value, 0).length == value.size(), ErrorKind::kInput,
          "{}: \"{}\" is \"{}\"; expected exactly one character", place_, key, value.substr(0, 60));
  return decode_utf8(value, 0).code;
}

Component Component::child(const char* key) const {
  require(has(key), ErrorKind::kInput, "{}: key \"{}\" is missing", place_, key);
  return {value_->at(key), fmt::format("{}.{}", place_, key)};
}

std::vector<Component> Component::children(const char* key) const {
  const auto found = value_->find(key);
  require(found != value_->end() && found->is_array(), ErrorKind::kInput,
          "{}: \"{}\" is missing or not a list", place_, key);
  std::vector<Component> parts;
  parts.reserve(found->size());
  for (std::size_t i = 0; i < found->size(); ++i) {
    parts.emplace_back((*found)[i], fmt::format("{}[{}]", place_, i));
  }
  return parts;
}

}  // namespace inlay::text
