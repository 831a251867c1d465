// One component of a tokenizer.json with its place in the file, so that whatever is wrong names
// that place:
//
//   tokenizer.json: normalizer[1]: type "Nmt" is not supported; supported: BertNormalizer, ...
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace inlay::text {

class Component {
 public:
  // REQUIRES: `value` outlives the component.
  Component(const Json& value, std::string place);

  const Json& json() const { return *value_; }
  const std::string& place() const { return place_; }
  bool has(const char* key) const;  // present and not null
  std::string type() const { return text("type"); }

  std::string text(const char* key) const;
  std::string text_or(const char* key, std::string fallback) const;
  bool flag_or(const char* key, bool fallback) const;
  int64_t integer(const char* key) const;
  char32_t character(const char* key) const;  // a string of exactly one character

  // The object under `key`.
  Component child(const char* key) const;
  // The elements of the list under `key`; their places are this place and an index.
  std::vector<Component> children(const char* key) const;

 private:
  const Json* value_;
  std::string place_;
};

// A row of a factory table: how a type of component is called and built.
template <class Interface>
struct FactoryRow {
  std::string_view type;
  std::unique_ptr<const Interface> (*build)(const Component&);
};

template <class Interface>
std::unique_ptr<const Interface> build(const Component& component,
                                       std::span<const FactoryRow<Interface>> table) {
  const std::string type = component.type();
  std::string supported;
  for (const auto& row : table) {
    if (row.type == type) return row.build(component);
    supported += (supported.empty() ? "" : ", ") + std::string(row.type);
  }
  fail(ErrorKind::kInput, "{}: type \"{}\" is not supported; supported: {}", component.place(),
       type.substr(0, 60), supported);
}

}  // namespace inlay::text
