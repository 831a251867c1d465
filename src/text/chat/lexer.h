// Cuts a template into tokens, with the whitespace rules that Hugging Face sets: trim_blocks and
// lstrip_blocks on, one newline at the end dropped.
//
//   tokenize("Hi {{ name -}} !", "chat.jinja")
//   // text "Hi ", "{{", name "name", "}}", text "!"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::chat {

struct Place {
  int line = 1;
  int column = 1;
};

enum class TokenKind : uint8_t {
  kText,            // what stands outside of tags; `text` is the text
  kVariableBegin,   // {{
  kVariableEnd,     // }}
  kStatementBegin,  // {%
  kStatementEnd,    // %}
  kName,
  kString,  // `text` without quotes, escapes resolved
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind;
  std::string text;
  Place place;

  bool is(TokenKind other) const { return kind == other; }
  bool is_operator(std::string_view symbol) const {
    return kind == TokenKind::kOperator && text == symbol;
  }
  bool is_name(std::string_view name) const { return kind == TokenKind::kName && text == name; }
  // "the end of the tag", "'endif'": for messages.
  std::string description() const;
};

// `where` names the source in messages. The last token is kEnd.
std::vector<Token> tokenize(std::string_view source, std::string_view where);

// An Error of kind kInput: "where:line:column: message".
[[noreturn]] void fail_at(std::string_view where, Place place, const std::string& message);

}  // namespace inlay::chat
