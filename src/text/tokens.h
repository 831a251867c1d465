// The tokens of one text on their way through the last stages: truncation, special tokens, trimming
// of offsets.
#pragma once

#include <cstdint>
#include <vector>

namespace inlay::text {

struct Token {
  int32_t id;
  int32_t begin;  // in characters of the original text
  int32_t end;
  int32_t word = -1;
  int32_t sequence = -1;
  int32_t type = 0;
  int32_t part = -1;  // of a text in parts
  bool special = false;
  // How many of its first and last characters are spaces, as the token is written.
  int32_t leading_spaces = 0;
  int32_t trailing_spaces = 0;
};

using Tokens = std::vector<Token>;

}  // namespace inlay::text
