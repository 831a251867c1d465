// A pattern of a tokenizer file, matched by PCRE2. Patterns are written for Oniguruma (Ruby syntax
// with Unicode classes); what differs between the two is translated, what cannot be is an error at
// load. Immutable and thread-safe.
//
//   Regex words("\\p{L}+", "pre_tokenizer");
//   words.for_each_match("to be", [](uint32_t begin, uint32_t end) { ... });
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"

namespace inlay::text {

class Regex {
 public:
  // `place` is named when the pattern is wrong or, later, costs too much on some text.
  Regex(std::string_view oniguruma_pattern, std::string place);

  // Appends every match from left to right; a match is empty only where the one before did not end.
  void find_all(std::string_view text, std::vector<Range>& matches) const;

 private:
  struct Code {
    explicit Code(std::string_view translated, const std::string& place);
    ~Code();
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    void* pcre2;
  };
  std::unique_ptr<const Code> code_;
  std::string place_;
};

// The PCRE2 pattern that means what `oniguruma` means to Oniguruma.
std::string translate_regex(std::string_view oniguruma, const std::string& place);

}  // namespace inlay::text
