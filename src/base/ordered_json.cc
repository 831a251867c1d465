#include "base/ordered_json.h"

#include <functional>

#include "base/strict_json.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxKeys = 1024;

}  // namespace

nlohmann::ordered_json parse_ordered_json(std::string_view text, std::string_view where) {
  using Ordered = nlohmann::ordered_json;
  StrictCallback<Ordered> callback(where, kMaxKeys);
  try {
    return Ordered::parse(text.begin(), text.end(), std::ref(callback));
  } catch (const Ordered::parse_error& error) {
    fail(ErrorKind::kInput, "{}: not valid JSON at its byte {}", where, error.byte);
  } catch (const Ordered::exception& error) {
    fail(ErrorKind::kInput, "{}: not valid JSON: {}", where, error.what());
  }
}

}  // namespace inlay
