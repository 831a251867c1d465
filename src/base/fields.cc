#include "base/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "base/spec.h"

namespace inlay {

namespace {

constexpr std::string_view kNone = "none";

// --- one function per field type and direction ---

std::string kind_of(const int64_t&) { return "integer"; }
std::string kind_of(const double&) { return "number"; }
std::string kind_of(const bool&) { return "true or false"; }
std::string kind_of(const std::string&) { return "text"; }
std::string kind_of(const std::optional<std::string>&) { return "text or none"; }
std::string kind_of(const std::vector<std::string>&) { return "list"; }
std::string kind_of(const std::map<std::string, double>&) { return "map"; }

// Each returns false when the JSON value is of another type.
bool read(const Json& json, int64_t& value) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX) return false;
  value = json.get<int64_t>();
  return true;
}

bool read(const Json& json, double& value) {
  if (!json.is_number()) return false;
  value = json.get<double>();
  return std::isfinite(value);
}

bool read(const Json& json, bool& value) {
  if (json.is_boolean()) value = json.get<bool>();
  return json.is_boolean();
}

bool read(const Json& json, std::string& value) {
  if (json.is_string()) value = json.get<std::string>();
  return json.is_string();
}

bool read(const Json& json, std::optional<std::string>& value) {
  if (json.is_string()) value = json.get<std::string>();
  if (json.is_null()) value.reset();
  return json.is_string() || json.is_null();
}

bool read(const Json& json, std::vector<std::string>& value) {
  if (!json.is_array()) return false;
  value.clear();
  for (const Json& item : json) {
    if (!read(item, value.emplace_back())) return false;
  }
  return true;
}

bool read(const Json& json, std::map<std::string, double>& value) {
  if (!json.is_object()) return false;
  value.clear();
  for (const auto& [key, item] : json.items()) {
    if (!read(item, value[key])) return false;
  }
  return true;
}

template <class T>
bool parse_number(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && last == end;
}

// Each returns false when the text does not spell a value of the type.
bool parse(std::string_view text, int64_t& value) { return parse_number(text, value); }

bool parse(std::string_view text, double& value) {
  return parse_number(text, value) && std::isfinite(value);
}

bool parse(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false";
}

bool parse(std::string_view text, std::string& value) {
  value = unquote(text);
  return true;
}

bool parse(std::string_view text, std::optional<std::string>& value) {
  value.reset();
  if (text != kNone) value = unquote(text);
  return true;
}

bool parse(std::string_view text, std::vector<std::string>& value) {
  value.clear();
  for (const std::string& item : split_outside(text, '+')) {
    if (item.empty()) return false;
    value.push_back(unquote(item));
  }
  return true;
}

bool parse(std::string_view text, std::map<std::string, double>& value) {
  value.clear();
  for (const std::string& item : split_outside(text, '+')) {
    const std::size_t colon = rfind_outside(item, ':');
    if (colon == std::string::npos) return false;
    const std::string key = unquote(trim(std::string_view(item).substr(0, colon)));
    if (value.count(key) != 0) return false;
    if (!parse(trim(std::string_view(item).substr(colon + 1)), value[key])) return false;
  }
  return true;
}

std::string text_of(const int64_t& value) { return std::to_string(value); }
std::string text_of(const double& value) { return fmt::format("{}", value); }
std::string text_of(const bool& value) { return value ? "true" : "false"; }
std::string text_of(const std::string& value) {
  return value.empty() ? "" : quote_if_needed(value);
}

std::string text_of(const std::optional<std::string>& value) {
  if (!value) return std::string(kNone);
  return *value == kNone ? "'none'" : text_of(*value);
}

std::string text_of(const std::vector<std::string>& value) {
  std::string text;
  for (const auto& item : value) text += (text.empty() ? "" : "+") + quote_if_needed(item);
  return text;
}

std::string text_of(const std::map<std::string, double>& value) {
  std::string text;
  for (const auto& [key, number] : value) {
    text += (text.empty() ? "" : "+") + quote_if_needed(key) + ":" + text_of(number);
  }
  return text;
}

Json json_of(const std::optional<std::string>& value) { return value ? Json(*value) : Json(); }
Json json_of(const std::vector<std::string>& value) {
  Json list = Json::array();
  for (const auto& item : value) list.push_back(item);
  return list;
}
Json json_of(const std::map<std::string, double>& value) {
  Json map = Json::object();
  for (const auto& [key, number] : value) map[key] = number;
  return map;
}
template <class T>
Json json_of(const T& value) {
  return Json(value);
}

const char* example_of(std::string_view kind) {
  if (kind == "list") return ", items between '+' such as query+value";
  if (kind == "map") return ", such as query:4+value:16";
  return "";
}

// --- visitors ---

// Turns the overloads into one template method of the derived class, `field(name, value, choices,
// help)`.
template <class Derived>
class EachField : public FieldVisitor {
 public:
  void operator()(std::string_view n, int64_t& v, std::string_view h) override { pass(n, v, h); }
  void operator()(std::string_view n, double& v, std::string_view h) override { pass(n, v, h); }
  void operator()(std::string_view n, bool& v, std::string_view h) override { pass(n, v, h); }
  void operator()(std::string_view n, std::string& v, std::string_view h) override {
    pass(n, v, h);
  }
  void operator()(std::string_view n, std::optional<std::string>& v, std::string_view h) override {
    pass(n, v, h);
  }
  void operator()(std::string_view n, std::vector<std::string>& v, std::string_view h) override {
    pass(n, v, h);
  }
  void operator()(std::string_view n, std::map<std::string, double>& v,
                  std::string_view h) override {
    pass(n, v, h);
  }
  void choice(std::string_view n, std::string& v, const std::vector<std::string>& choices,
              std::string_view h) override {
    static_cast<Derived*>(this)->field(std::string(n), v, choices, h);
  }

 private:
  template <class T>
  void pass(std::string_view name, T& value, std::string_view help) {
    static_cast<Derived*>(this)->field(std::string(name), value, {}, help);
  }
};

using Choices = std::vector<std::string>;

struct Describer final : EachField<Describer> {
  template <class T>
  void field(const std::string& name, T& value, const Choices& choices, std::string_view help) {
    const std::string type = choices.empty() ? kind_of(value) : "choice";
    infos.push_back({name, type, text_of(value), choices, std::string(help)});
  }
  std::vector<FieldInfo> infos;
};

struct JsonWriter final : EachField<JsonWriter> {
  template <class T>
  void field(const std::string& name, T& value, const Choices&, std::string_view) {
    json[name] = json_of(value);
  }
  Json json = Json::object();
};

template <class T>
void check_choice(const std::string&, const T&, const Choices&, std::string_view) {}

void check_choice(const std::string& name, const std::string& value, const Choices& choices,
                  std::string_view where) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  fail(ErrorKind::kUsage, "{}: {} is \"{}\"; did you mean \"{}\"? It can be {}", where, name, value,
       nearest_name(value, choices), fmt::join(choices, ", "));
}

struct JsonReader final : EachField<JsonReader> {
  JsonReader(const Json& from, std::string_view place) : json(from), where(place) {}
  template <class T>
  void field(const std::string& name, T& value, const Choices& choices, std::string_view) {
    const auto found = json.find(name);
    if (found == json.end()) return;
    require(read(*found, value), ErrorKind::kUsage, "{}: {} is {}; expected {}", where, name,
            found->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 200),
            kind_of(value));
    check_choice(name, value, choices, where);
  }
  const Json& json;
  std::string_view where;
};

struct TextReader final : EachField<TextReader> {
  TextReader(const std::map<std::string, std::string>& from, std::string_view place)
      : pairs(from), where(place) {}
  template <class T>
  void field(const std::string& name, T& value, const Choices& choices, std::string_view) {
    const auto found = pairs.find(name);
    if (found == pairs.end()) return;
    const std::string kind = kind_of(value);
    require(parse(found->second, value), ErrorKind::kUsage, "{}: {} is \"{}\"; expected {}{}",
            where, name, found->second, kind, example_of(kind));
    check_choice(name, value, choices, where);
  }
  const std::map<std::string, std::string>& pairs;
  std::string_view where;
};

void require_known(const std::string& name, const std::vector<FieldInfo>& infos,
                   std::string_view where) {
  std::vector<std::string> names;
  for (const auto& info : infos) {
    if (info.name == name) return;
    names.push_back(info.name);
  }
  require(!names.empty(), ErrorKind::kUsage, "{}: no setting \"{}\"; there are none here", where,
          name);
  fail(ErrorKind::kUsage, "{}: no setting \"{}\"; did you mean \"{}\"? The settings are {}", where,
       name, nearest_name(name, names), fmt::join(names, ", "));
}

}  // namespace

std::vector<FieldInfo> fields_info(const Fields& fields) {
  Describer describer;
  fields(describer);
  return describer.infos;
}

Json fields_to_json(const Fields& fields) {
  JsonWriter writer;
  fields(writer);
  return writer.json;
}

std::string fields_to_text(const Fields& fields) {
  std::string text;
  for (const auto& info : fields_info(fields)) {
    text += (text.empty() ? "" : ",") + info.name + "=" + info.default_text;
  }
  return text;
}

void fields_from_json(const Fields& fields, const Json& json, std::string_view where) {
  require(json.is_object(), ErrorKind::kUsage, "{}: found {}; expected an object of settings",
          where, json.type_name());
  const auto infos = fields_info(fields);
  for (const auto& [key, value] : json.items()) require_known(key, infos, where);
  JsonReader reader(json, where);
  fields(reader);
}

namespace {

// The one field that has this value among its choices; none where there is no such field, or
// several.
const FieldInfo* field_of_choice(const std::vector<FieldInfo>& infos, std::string_view value) {
  const FieldInfo* found = nullptr;
  for (const FieldInfo& info : infos) {
    if (std::find(info.choices.begin(), info.choices.end(), value) == info.choices.end()) continue;
    if (found != nullptr) return nullptr;
    found = &info;
  }
  return found;
}

}  // namespace

void fields_from_text(const Fields& fields, std::string_view text, std::string_view where) {
  const auto infos = fields_info(fields);
  std::map<std::string, std::string> pairs;
  for (const std::string& piece : split_outside(text, ',')) {
    const std::size_t equals = find_outside(piece, '=');
    const bool bare = equals == std::string::npos;
    const FieldInfo* chosen = bare ? field_of_choice(infos, trim(piece)) : nullptr;
    require(!bare || chosen != nullptr, ErrorKind::kUsage,
            "{}: \"{}\" is not a setting; expected name=value (a list has + between its items)",
            where, piece);
    const std::string name =
        bare ? chosen->name : std::string(trim(std::string_view(piece).substr(0, equals)));
    require_known(name, infos, where);
    const std::string value(
        trim(bare ? std::string_view(piece) : std::string_view(piece).substr(equals + 1)));
    require(pairs.emplace(name, value).second, ErrorKind::kUsage,
            "{}: {} is given twice; remove one", where, name);
  }
  TextReader reader(pairs, where);
  fields(reader);
}

}  // namespace inlay
