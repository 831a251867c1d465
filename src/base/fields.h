// A config lists its fields once; JSON, text, help, defaults and equality follow from the list.
//
//   struct LoraConfig {
//     int64_t r = 8;
//     std::vector<std::string> target_modules;
//     void fields(FieldVisitor& visit) {
//       visit("r", r, "rank of the update");
//       visit("target_modules", target_modules, "names or patterns of the sites to adapt");
//     }
//   };
//   LoraConfig config;
//   apply_text(config, "r=16,target_modules=query+value", "lora[...]");
//
// Text form: name=value pairs between commas. A list has '+' between its items, a map is key:number
// items in the same way, an absent optional is `none`, a bool is true or false. Single quotes
// protect any character, so a pattern is written target_modules='layer\.\d+\.query'+value. Names
// are refused when unknown or given twice.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace inlay {

// Sees each field of a config in turn, by name. Only these types are fields: a float or an int does
// not compile.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void operator()(std::string_view name, int64_t& value, std::string_view help) = 0;
  virtual void operator()(std::string_view name, double& value, std::string_view help) = 0;
  virtual void operator()(std::string_view name, bool& value, std::string_view help) = 0;
  virtual void operator()(std::string_view name, std::string& value, std::string_view help) = 0;
  virtual void operator()(std::string_view name, std::optional<std::string>& value,
                          std::string_view help) = 0;
  virtual void operator()(std::string_view name, std::vector<std::string>& value,
                          std::string_view help) = 0;
  virtual void operator()(std::string_view name, std::map<std::string, double>& value,
                          std::string_view help) = 0;
  // A string that must be one of `choices`.
  virtual void choice(std::string_view name, std::string& value,
                      const std::vector<std::string>& choices, std::string_view help) = 0;
};

template <class C>
concept HasFields = requires(C& config, FieldVisitor& visitor) {
  config.fields(visitor);
};

// The fields of one object, without its type: what the functions below are written against.
using Fields = std::function<void(FieldVisitor&)>;

struct FieldInfo {
  std::string name;
  std::string type;  // integer, number, true or false, text, text or none, list, map, choice
  std::string default_text;  // as apply_text() would read it
  std::vector<std::string> choices;
  std::string help;
};

// The type-free forms. A field that JSON or text does not mention keeps its value.
Json fields_to_json(const Fields& fields);
void fields_from_json(const Fields& fields, const Json& json, std::string_view where);
void fields_from_text(const Fields& fields, std::string_view text, std::string_view where);
std::string fields_to_text(const Fields& fields);
std::vector<FieldInfo> fields_info(const Fields& fields);

// The visitors behind to_json, to_text and describe_fields only read, which is what makes the cast
// right.
template <HasFields C>
Fields fields_of(const C& config) {
  return [&config](FieldVisitor& visitor) { const_cast<C&>(config).fields(visitor); };
}

template <HasFields C>
Json to_json(const C& config) {
  return fields_to_json(fields_of(config));
}

// An unknown key, with the nearest field and all fields named, or a value of another type is an
// Error at `where`.
template <HasFields C>
void from_json(C& config, const Json& json, std::string_view where) {
  fields_from_json(fields_of(config), json, where);
}

template <HasFields C>
void apply_text(C& config, std::string_view text, std::string_view where) {
  fields_from_text(fields_of(config), text, where);
}

// All fields, as apply_text() reads them.
template <HasFields C>
std::string to_text(const C& config) {
  return fields_to_text(fields_of(config));
}

// The values of `config` are given as the defaults.
template <HasFields C>
std::vector<FieldInfo> describe_fields(const C& config = C()) {
  return fields_info(fields_of(config));
}

template <HasFields C>
bool same_fields(const C& a, const C& b) {
  return to_json(a) == to_json(b);
}

}  // namespace inlay
