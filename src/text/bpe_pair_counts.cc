#include "text/bpe_pair_counts.h"

#include <utility>

namespace inlay::text {

void BpePairCounts::add_word(std::span<const int32_t> symbols, int64_t count) {
  const auto word = static_cast<uint32_t>(words_.size());
  words_.push_back({symbols_.size(), static_cast<uint32_t>(symbols.size()), count});
  symbols_.insert(symbols_.end(), symbols.begin(), symbols.end());
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) raise({symbols[i], symbols[i + 1]}, word);
}

BpePairCounts::Count& BpePairCounts::count_of(TokenPair pair) {
  const uint64_t key =
      uint64_t{static_cast<uint32_t>(pair.left)} << 32 | static_cast<uint32_t>(pair.right);
  const uint32_t* known = indices_.find(key);
  if (known != nullptr) return counts_[*known];
  indices_[key] = static_cast<uint32_t>(counts_.size());
  counts_.push_back({.pair = pair, .words = {}});
  return counts_.back();
}

void BpePairCounts::raise(TokenPair pair, uint32_t word) {
  Count& count = count_of(pair);
  count.count += words_[word].count;
  if (count.words.empty() || count.words.back() != word) count.words.push_back(word);
  if (count.raised) return;
  count.raised = true;
  raised_.push_back(static_cast<uint32_t>(&count - counts_.data()));
}

void BpePairCounts::lower(TokenPair pair, uint32_t word) {
  count_of(pair).count -= words_[word].count;
}

void BpePairCounts::queue_raised() {
  for (uint32_t index : raised_) {
    counts_[index].raised = false;
    queue_.push({counts_[index].count, counts_[index].pair, index});
  }
  raised_.clear();
}

std::optional<TokenPair> BpePairCounts::pop_commonest(int64_t least) {
  queue_raised();
  while (!queue_.empty()) {
    Entry top = queue_.top();
    queue_.pop();
    const int64_t now = counts_[top.index].count;
    if (now == top.count) return now >= least ? std::optional(top.pair) : std::nullopt;
    if (now >= least) queue_.push({now, top.pair, top.index});
  }
  return std::nullopt;
}

void BpePairCounts::merge(TokenPair pair, int32_t made) {
  const std::vector<uint32_t> words = std::exchange(count_of(pair).words, {});
  for (uint32_t word : words) merge_in_word(word, pair, made);
  count_of(pair).count = 0;
}

// The word is rewritten in its place: what is read never stands before what is written.
void BpePairCounts::merge_in_word(uint32_t word, TokenPair pair, int32_t made) {
  int32_t* symbols = symbols_.data() + words_[word].begin;
  const uint32_t size = words_[word].size;
  uint32_t written = 0;
  for (uint32_t read = 0; read < size; ++written) {
    const bool fits =
        read + 1 < size && symbols[read] == pair.left && symbols[read + 1] == pair.right;
    if (!fits) {
      symbols[written] = symbols[read++];
      continue;
    }
    if (written > 0) {
      lower({symbols[written - 1], pair.left}, word);
      raise({symbols[written - 1], made}, word);
    }
    if (read + 2 < size) {
      lower({pair.right, symbols[read + 2]}, word);
      raise({made, symbols[read + 2]}, word);
    }
    symbols[written] = made;
    read += 2;
  }
  words_[word].size = written;
}

int64_t BpePairCounts::tokens() const {
  int64_t sum = 0;
  for (const Word& word : words_) sum += word.size * word.count;
  return sum;
}

}  // namespace inlay::text
