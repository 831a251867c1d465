// Tokens that stand beside the model's vocabulary: special ones and those added by hand. They are
// found in the text before anything else happens; no piece crosses them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_trie.h"
#include "text/component.h"
#include "text/normalizer.h"
#include "text/vocabulary.h"

namespace inlay::text {

struct AddedToken {
  std::string content;
  int32_t id;
  bool single_word;  // not inside a word
  bool lstrip;       // takes the white space on its left with it
  bool rstrip;
  bool normalized;  // is looked for in the normalised text
  bool special;     // is left out by decode(ids, skip_special)
};

class AddedTokens {
 public:
  // A stretch of text: an added token, or what lies between two of them.
  struct Part {
    Range range;
    const AddedToken* token;  // null between
    uint32_t written_at = 0;  // where the token itself begins, after the spaces that it takes
  };

  // The member "added_tokens" of a tokenizer file. `normalizer` may be null. A token of the model
  // must have its id there.
  AddedTokens(const Component& file, const Vocabulary& model, const Normalizer* normalizer);

  // The parts of a text as it was given, and of a normalised one. Never empty for a text that is
  // not. Special tokens are read within the `searchable` stretches alone, which are ascending; the
  // spaces they take and the words they may not touch can lie outside. Others are read anywhere.
  std::vector<Part> find(std::string_view original, std::span<const Range> searchable) const {
    return find(original, searchable, original_trie_);
  }
  std::vector<Part> find_normalized(std::string_view text,
                                    std::span<const Range> searchable) const {
    return find(text, searchable, normalized_trie_);
  }
  bool has_normalized() const { return !normalized_trie_.empty(); }

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const AddedToken* by_id(int32_t id) const;
  const AddedToken* by_content(std::string_view content) const;

 private:
  void add(const Component& component, const Vocabulary& model);
  class Search;
  std::vector<Part> find(std::string_view text, std::span<const Range> searchable,
                         const ByteTrie& trie) const;

  std::vector<AddedToken> tokens_;
  Vocabulary names_;         // contents and ids
  FlatMap<uint32_t> by_id_;  // id to index into tokens_
  ByteTrie original_trie_;   // values are indexes into tokens_
  ByteTrie normalized_trie_;
};

}  // namespace inlay::text
