#include "text/chat/chat_tokens.h"

#include <algorithm>

#include "base/error.h"

namespace inlay {
namespace {

// As plain characters a token would mean nothing to the model.
void require_known(const Rendered& rendered, const std::optional<std::string>& token,
                   const char* role, const Tokenizer& tokenizer) {
  if (!token.has_value() || token->empty() || tokenizer.token_to_id(*token).has_value()) return;
  std::string_view text(rendered.text);
  bool written = std::any_of(rendered.spans.begin(), rendered.spans.end(), [&](const Span& span) {
    return !span.is_input() &&
           text.substr(span.begin, span.end - span.begin).find(*token) != text.npos;
  });
  require(!written, ErrorKind::kInput,
          "the chat template writes {}, the model's {}_token, which is not in the tokenizer's "
          "vocabulary; take the tokenizer that belongs to the template",
          *token, role);
}

}  // namespace

Encoding encode_chat(const Rendered& rendered, const ModelChatTemplate& chat_template,
                     const Tokenizer& tokenizer) {
  require_known(rendered, chat_template.bos_token, "bos", tokenizer);
  require_known(rendered, chat_template.eos_token, "eos", tokenizer);
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
