// The words of a training corpus as rows of token ids, with how often each pair of neighbours
// occurs in them. Merging a pair touches only the words that hold it and the counts of what stood
// beside it.
//
//   BpePairCounts pairs;
//   pairs.add_word({0, 1, 1}, 7);                       // a word that occurs seven times
//   while (auto pair = pairs.pop_commonest(2)) pairs.merge(*pair, next_id++);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "text/flat_map.h"

namespace inlay::text {

struct TokenPair {
  int32_t left;
  int32_t right;
  bool operator==(const TokenPair&) const = default;
  auto operator<=>(const TokenPair&) const = default;
};

class BpePairCounts {
 public:
  // REQUIRES: count > 0, ids >= 0, and under 2^32 symbols in all words together.
  void add_word(std::span<const int32_t> symbols, int64_t count);

  // The pair that occurs most often, of equally common ones the lowest; nothing where none occurs
  // `least` times. It is not offered again. Every place of an overlapping row counts: "aaa" holds
  // the pair (a, a) twice.
  std::optional<TokenPair> pop_commonest(int64_t least);

  // In every word, from left to right, the two tokens become the one. REQUIRES: `made` is new.
  // Time: the lengths of the words that hold the pair, or held it.
  void merge(TokenPair pair, int32_t made);

  // Tokens of the corpus: the symbols of each word, as often as it occurs.
  int64_t tokens() const;

 private:
  struct Word {
    std::size_t begin;  // in symbols_
    uint32_t size;
    int64_t count;
  };
  struct Count {
    TokenPair pair;
    int64_t count = 0;
    bool raised = false;          // stands in raised_
    std::vector<uint32_t> words;  // those that came to hold it, ascending
  };
  struct Entry {
    int64_t count;
    TokenPair pair;
    uint32_t index;
    bool operator<(const Entry& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  Count& count_of(TokenPair pair);
  void raise(TokenPair pair, uint32_t word);
  void lower(TokenPair pair, uint32_t word);
  void merge_in_word(uint32_t word, TokenPair pair, int32_t made);
  void queue_raised();

  std::vector<int32_t> symbols_;  // of all words; merged words leave their ends unused
  std::vector<Word> words_;
  std::vector<Count> counts_;
  FlatMap<uint32_t> indices_;         // of pairs, in counts_
  std::vector<uint32_t> raised_;      // counts that the queue has not seen
  std::priority_queue<Entry> queue_;  // with counts that may have fallen since
};

}  // namespace inlay::text
