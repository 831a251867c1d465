// The way back: turns the written forms of tokens into text, token by token as they come.
//
//   std::string text;
//   auto first = decoder->stage(end_of_decoding(text));
//   first->push("Hel", true);
//   first->push("lo", true);
//   first->finish();
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/component.h"

namespace inlay::text {

// A decoder at work. A stage rewrites the tokens that come in and hands on what is certain to the
// stage after it; what may still change it holds back. Stages that join tokens hand on one token
// in many parts.
class DecoderStage {
 public:
  virtual ~DecoderStage() = default;
  // The next part of a token, whole characters of valid UTF-8; `ends_token` says that it is the
  // last one.
  virtual void push(std::string_view part, bool ends_token) = 0;
  // No more tokens: hands on what was held back. Called once, last.
  virtual void finish() = 0;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // A stage that feeds `next`. REQUIRES: the decoder outlives it.
  virtual std::unique_ptr<DecoderStage> stage(std::unique_ptr<DecoderStage> next) const = 0;
};

// The last stage: appends what comes to `text`. REQUIRES: `text` outlives it.
std::unique_ptr<DecoderStage> end_of_decoding(std::string& text);
// The same with a space between tokens, for files without a decoder.
std::unique_ptr<DecoderStage> end_of_decoding_with_spaces(std::string& text);

// The component "decoder" of a tokenizer file; an unknown type is an Error that lists the known
// ones.
std::unique_ptr<const Decoder> build_decoder(const Component& component);

}  // namespace inlay::text
