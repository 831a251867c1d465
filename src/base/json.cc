#include "base/json.h"

#include "base/error.h"
#include "base/files.h"
#include "base/strict_json.h"

namespace inlay {
namespace {

template <class T>
bool holds(const Json& value) {
  if constexpr (std::is_same_v<T, bool>) return value.is_boolean();
  if constexpr (std::is_same_v<T, int64_t>) return value.is_number_integer();
  if constexpr (std::is_same_v<T, double>) return value.is_number();
  if constexpr (std::is_same_v<T, std::string>) return value.is_string();
  return false;
}

template <class T>
const char* type_word() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int64_t>) return "an integer";
  if constexpr (std::is_same_v<T, double>) return "a number";
  return "a string";
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  StrictCallback<Json> callback(where);
  try {
    return Json::parse(text.begin(), text.end(), std::ref(callback));
  } catch (const Json::exception& error) {
    fail(ErrorKind::kInput, "{}: not valid JSON: {}", where, error.what());
  }
}

Json read_json(const std::filesystem::path& path, std::size_t max_bytes) {
  return parse_json(read_file(path, max_bytes), path.string());
}

std::string canonical_json(const Json& value) { return value.dump(); }

std::string pretty_json(const Json& value) { return value.dump(2) + "\n"; }

template <class T>
T json_get(const Json& object, const char* key, std::string_view where) {
  require(object.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}", where,
          object.type_name());
  auto found = object.find(key);
  require(found != object.end(), ErrorKind::kInput, "{}: key \"{}\" is missing; expected {}", where,
          key, type_word<T>());
  // The value is written out only when it is wrong: it may be large.
  auto text = [&] {
    return found->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60);
  };
  if (found->is_number_unsigned() && std::is_same_v<T, int64_t> &&
      found->template get<uint64_t>() > INT64_MAX) {
    fail(ErrorKind::kInput, "{}: \"{}\" is {}, too large", where, key, text());
  }
  if (!holds<T>(*found)) {
    fail(ErrorKind::kInput, "{}: \"{}\" is {} ({}); expected {}", where, key, found->type_name(),
         text(), type_word<T>());
  }
  return found->template get<T>();
}

template bool json_get<bool>(const Json&, const char*, std::string_view);
template int64_t json_get<int64_t>(const Json&, const char*, std::string_view);
template double json_get<double>(const Json&, const char*, std::string_view);
template std::string json_get<std::string>(const Json&, const char*, std::string_view);

}  // namespace inlay
