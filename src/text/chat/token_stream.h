// The tokens of a template with a reading position: what both parsers share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/chat/budget.h"
#include "text/chat/lexer.h"

namespace inlay::chat {

class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, std::string_view where)
      : tokens_(std::move(tokens)), where_(where) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Place place() const { return current().place; }
  bool at_tag_end() const {
    return current().is(TokenKind::kVariableEnd) || current().is(TokenKind::kStatementEnd);
  }

  Token next() {
    Token token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }

  bool skip_operator(std::string_view symbol) {
    const bool found = current().is_operator(symbol);
    if (found) next();
    return found;
  }

  bool skip_name(std::string_view name) {
    const bool found = current().is_name(name);
    if (found) next();
    return found;
  }

  void expect_operator(std::string_view symbol) {
    if (!skip_operator(symbol)) fail_expecting(fmt::format("'{}'", symbol));
  }

  void expect_tag_end() {
    if (!current().is(TokenKind::kStatementEnd)) fail_expecting("the end of the tag");
    next();
  }

  std::string expect_name(std::string_view what) {
    if (!current().is(TokenKind::kName)) fail_expecting(what);
    return next().text;
  }

  [[noreturn]] void fail_expecting(std::string_view what) const {
    fail_here(fmt::format("expected {}, found {}", what, current().description()));
  }
  [[noreturn]] void fail_here(const std::string& message) const {
    fail_at(where_, place(), message);
  }

  // One level deeper in the source until the end of the block.
  class Level {
   public:
    explicit Level(TokenStream& stream) : stream_(stream) {
      if (++stream.depth_ > kMaxNesting) {
        stream.fail_here(fmt::format("nested deeper than {} levels", kMaxNesting));
      }
    }
    ~Level() { --stream_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    TokenStream& stream_;
  };

 private:
  std::vector<Token> tokens_;
  std::string_view where_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace inlay::chat
