// Decodes tokens as a language model writes them, one at a time. Every piece is whole characters,
// and the pieces joined are what Tokenizer::decode gives for all the ids.
//
//   StreamingDecoder decoder(tokenizer);
//   for (int32_t id : ids) std::cout << decoder.push(id);
//   std::cout << decoder.finish();
//
// A piece is empty while nothing is certain: within a character that several tokens spell, and, for
// vocabularies with byte tokens like <0xE2>, within a run of those, which is text only if all of it
// is valid UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace inlay {

class StreamingDecoder {
 public:
  // REQUIRES: `tokenizer` outlives the decoder.
  explicit StreamingDecoder(const Tokenizer& tokenizer, bool skip_special = true);
  ~StreamingDecoder();
  StreamingDecoder(StreamingDecoder&&) noexcept;
  StreamingDecoder& operator=(StreamingDecoder&&) noexcept;

  // The text that is certain with this token and was not before. An id that belongs to no token
  // adds nothing.
  std::string push(int32_t id);
  // What was held back; afterwards the decoder is as new.
  std::string finish();

 private:
  struct Chain;
  std::unique_ptr<Chain> start() const;

  const Tokenizer* tokenizer_;
  bool skip_special_;
  std::unique_ptr<Chain> chain_;
};

}  // namespace inlay
