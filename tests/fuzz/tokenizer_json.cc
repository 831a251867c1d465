// Any bytes as a tokenizer.json: loading it and encoding a little text may fail with an Error, and
// with nothing else.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace {

constexpr const char* kTexts[] = {"", "Hello, world! 3.14",
                                  "naïve e\u0301 中文 😀\t[CLS] x<mask> \n"};

void use(const inlay::Tokenizer& tokenizer) {
  const std::vector<std::string> words = {"Hello", " big", ""};
  for (const char* text : kTexts) {
    try {
      const inlay::Encoding one = tokenizer.encode(text);
      tokenizer.encode(text, kTexts[1], {.max_length = 7});
      tokenizer.encode_words(words);
      tokenizer.decode(one.ids, true);
    } catch (const inlay::Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    use(inlay::Tokenizer::parse(std::string_view(reinterpret_cast<const char*>(data), size),
                                "fuzz"));
  } catch (const inlay::Error&) {
  }
  return 0;
}
