// A spec names a thing and, in brackets, its settings: "lora[r=8,target_modules=query+value]".
// Single quotes protect every character, and '' inside them is one quote; brackets protect commas:
//
//   Spec spec = parse_spec("lora[r=8]");        // {"lora", "r=8"}
//   split_outside("a[x,y],'b,c'", ',');         // {"a[x,y]", "'b,c'"}
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inlay {

struct Spec {
  std::string name;
  std::string arguments;  // what stood between the brackets; "" without brackets
};

Spec parse_spec(std::string_view text);

// "lora[r=8]", or "lora" when there are no arguments.
std::string spec_text(const Spec& spec);

// The trimmed pieces between separators that stand outside quotes and brackets; {} for blank text.
std::vector<std::string> split_outside(std::string_view text, char separator);

// The place of the first (or last) `wanted` outside quotes and brackets, or npos.
std::size_t find_outside(std::string_view text, char wanted);
std::size_t rfind_outside(std::string_view text, char wanted);

// The text without surrounding blanks.
std::string_view trim(std::string_view text);

// Removes single quotes: "'a,b'" is "a,b", "'it''s'" is "it's".
std::string unquote(std::string_view text);

// Puts quotes around text that would not come back from unquote() or a split unchanged.
std::string quote_if_needed(std::string_view text);

}  // namespace inlay
