// The stages of a tokenizer file in a row, up to the model: text in, tokens with character offsets
// out.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "text/added_tokens.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/tokens.h"

namespace inlay::text {

class PartedText;

inline constexpr std::size_t kMaxTextBytes = 1u << 30;

// Text that is not valid UTF-8, or longer than kMaxTextBytes, is an Error.
void require_text(std::string_view text);

class Pipeline {
 public:
  explicit Pipeline(const Component& file);

  // Appends the tokens of `text`; their words are the pieces of the text, counted from 0.
  // Text that is not valid UTF-8, or too long, is an Error.
  void run(std::string_view text, Tokens& tokens) const;
  // The same of a text whose plain parts spell no special tokens.
  void run(const PartedText& text, Tokens& tokens) const;

  const Model& model() const { return *model_; }
  const AddedTokens& added() const { return *added_; }

 private:
  class Run;

  std::unique_ptr<const Normalizer> normalizer_;       // may be null
  std::unique_ptr<const PreTokenizer> pre_tokenizer_;  // may be null
  std::unique_ptr<const Model> model_;
  std::unique_ptr<const AddedTokens> added_;
  TokenSet special_;  // tokens of the model that plain text must not become
};

}  // namespace inlay::text
