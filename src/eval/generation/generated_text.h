// What a reader sees of the tokens that a model writes: whole characters only, and nothing of a
// stop string. Special tokens give no text, so no stop string contains one: those that end a text
// are eos tokens.
//
//   GeneratedText text(tokenizer, options.stop_strings);
//   while (!sampler.finish().has_value() && !text.matched().has_value())
//     std::cout << text.push(sampler.next(logits()).id);
//   std::cout << text.finish();
#pragma once

#include "eval/generation/stop_strings.h"
#include "text/streaming_decoder.h"

namespace inlay {

class GeneratedText {
 public:
  // REQUIRES: `tokenizer` outlives this. kUsage as check_stop_strings().
  GeneratedText(const Tokenizer& tokenizer, const std::vector<std::string>& stop_strings)
      : decoder_(tokenizer), stops_(stop_strings) {}

  // The text that is certain with this token and was not before.
  std::string push(int32_t id) { return stops_.push(decoder_.push(id)); }
  // What was held back; nothing after a stop string. What the decoder held may still complete one.
  std::string finish() {
    std::string last = stops_.push(decoder_.finish());
    return last + stops_.finish();
  }
  // The stop string that ended the text.
  const std::optional<std::string>& matched() const { return stops_.matched(); }

 private:
  StreamingDecoder decoder_;
  StopStrings stops_;
};

}  // namespace inlay
