#include "base/spec.h"

#include <algorithm>

#include "base/error.h"

namespace inlay {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Calls `found(place)` for each `wanted` outside quotes and brackets.
template <class F>
void each_outside(std::string_view text, char wanted, const F& found) {
  bool quoted = false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;  // '' toggles twice, so it stays inside
    if (quoted) continue;
    if (text[i] == wanted && depth == 0) found(i);
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    require(depth >= 0, ErrorKind::kUsage,
            "\"{}\" has a ']' without a '['; put it in single quotes", text);
  }
  require(!quoted, ErrorKind::kUsage,
          "\"{}\" has a single quote that is not closed; write '' for a quote", text);
  require(depth == 0, ErrorKind::kUsage,
          "\"{}\" has a '[' that is not closed; put it in single quotes", text);
}

bool is_name(std::string_view text) {
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '-' && c != '.') return false;
  }
  return !text.empty();
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::size_t find_outside(std::string_view text, char wanted) {
  std::size_t first = std::string_view::npos;
  each_outside(text, wanted, [&](std::size_t i) { first = std::min(first, i); });
  return first;
}

std::size_t rfind_outside(std::string_view text, char wanted) {
  std::size_t last = std::string_view::npos;
  each_outside(text, wanted, [&](std::size_t i) { last = i; });
  return last;
}

std::vector<std::string> split_outside(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  if (trim(text).empty()) return pieces;
  std::size_t start = 0;
  each_outside(text, separator, [&](std::size_t i) {
    pieces.emplace_back(trim(text.substr(start, i - start)));
    start = i + 1;
  });
  pieces.emplace_back(trim(text.substr(start)));
  return pieces;
}

Spec parse_spec(std::string_view text) {
  const std::string_view spec = trim(text);
  const std::size_t open = find_outside(spec, '[');
  Spec result{std::string(trim(spec.substr(0, open))), {}};
  require(is_name(result.name), ErrorKind::kUsage,
          "\"{}\" is not a spec; expected name or name[setting=value,...], such as lora[r=8]",
          text);
  if (open == std::string_view::npos) return result;
  const std::string_view rest = spec.substr(open);
  require(split_outside(rest, '[').size() == 2 && rest.back() == ']', ErrorKind::kUsage,
          "\"{}\" goes on after its ']'; expected name[setting=value,...]", text);
  result.arguments = std::string(trim(rest.substr(1, rest.size() - 2)));
  find_outside(result.arguments, ',');  // brackets and quotes inside are balanced, or this fails
  return result;
}

std::string spec_text(const Spec& spec) {
  return spec.arguments.empty() ? spec.name : spec.name + "[" + spec.arguments + "]";
}

std::string unquote(std::string_view text) {
  std::string result;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool doubled = quoted && text.substr(i, 2) == "''";
    if (text[i] == '\'' && !doubled) {
      quoted = !quoted;
      continue;
    }
    result += text[i];
    if (doubled) ++i;
  }
  return result;
}

std::string quote_if_needed(std::string_view text) {
  if (!text.empty() && text.find_first_of(",+:='[] \t\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  std::string result = "'";
  for (const char c : text) {
    result += c;
    if (c == '\'') result += c;
  }
  return result + "'";
}

}  // namespace inlay
