#include "text/chat/chat_tokens.h"

namespace inlay {

Encoding encode_chat(const Rendered& rendered, const Tokenizer& tokenizer) {
  std::string_view text(rendered.text);
  std::vector<TextPart> parts;
  parts.reserve(rendered.spans.size());
  for (const Span& span : rendered.spans) {
    // A role is one of our own words, of which templates make special tokens: '<|' + role + '|>'.
    bool outside = span.is_input() && !span.role;
    parts.push_back({text.substr(span.begin, span.end - span.begin), outside});
  }
  return tokenizer.encode_parts(parts, {.add_special_tokens = false});
}

}  // namespace inlay
