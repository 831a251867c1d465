// The merge rules of a byte-pair encoding: which two tokens become which one, and which rule goes
// first; and their application to the symbols of a word.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/component.h"
#include "text/flat_map.h"
#include "text/token_set.h"
#include "text/vocabulary.h"

namespace inlay::text {

// A token in the making. Symbols of a word are laid out in order; a merged one takes the place of
// its left half.
struct Symbol {
  int32_t id;
  uint32_t length;  // bytes of the text; 0 once merged into the symbol on its left
};

class BpeMerges {
 public:
  // The member "merges" of a model, as ["a", "b"] pairs or as "a b" strings. In the merged token
  // the second half stands without `prefix`, the mark of tokens inside a word.
  BpeMerges(const Component& model, const Vocabulary& vocabulary, const std::string& prefix);

  // Applies the rule of lowest rank that fits anywhere, leftmost first, until none fits; rules that
  // make a reserved token never do. Time O(n log n).
  void apply(std::vector<Symbol>& symbols, const TokenSet& reserved) const;

 private:
  struct Rule {
    int32_t rank;
    int32_t merged;
  };
  struct Candidate;
  class Queue;

  const Rule* find(int32_t left, int32_t right, const TokenSet& reserved) const {
    const Rule* rule =
        rules_.find(uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right));
    return rule != nullptr && reserved.contains(rule->merged) ? nullptr : rule;
  }
  void apply_short(std::vector<Symbol>& symbols, const TokenSet& reserved) const;
  void apply_long(std::vector<Symbol>& symbols, const TokenSet& reserved) const;

  FlatMap<Rule> rules_;
};

}  // namespace inlay::text
