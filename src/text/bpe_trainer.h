// Learns a byte-level BPE tokenizer from texts (Sennrich et al. 2016, arXiv:1508.07909, algorithm
// 1; over bytes as Radford et al. 2019). Texts are cut into words by GPT-2's pattern, a word starts
// as its bytes, and again and again the commonest pair of neighbours becomes a new token. Of
// equally common pairs that with the lowest ids goes first, as in Hugging Face's trainer: what is
// learnt depends on the texts alone, not on their order.
//
//   BpeTrainer trainer({.vocab_size = 4096});
//   for (const std::string& line : lines) trainer.add(line);
//   write_file_atomically(folder / "tokenizer.json", bpe_tokenizer_json(trainer.train(), {}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_fwd.h"
#include "text/bpe_pair_counts.h"
#include "text/pre_tokenizer.h"

namespace inlay::text {

// What bounds the memory of a training, which grows with the distinct words alone.
struct BpeLimits {
  std::size_t text_bytes = std::size_t{16} << 20;      // one text
  std::size_t distinct_words = 4'000'000;              // of all texts
  std::size_t distinct_bytes = std::size_t{64} << 20;  // of those words together
  std::size_t word_bytes = 1024;  // longer words are counted, but nothing is learnt from them
};

struct BpeTraining {
  int64_t vocab_size = 4096;
  int64_t min_frequency = 2;  // how often a pair must occur to become a token
  // The first begins a text, the second ends it; the first does both where it is alone.
  std::vector<std::string> special_tokens = {"<|endoftext|>"};
  BpeLimits limits = {};
};

struct LearntBpe {
  std::vector<std::string> special_tokens;
  // By id, in the byte alphabet: special tokens, the 256 bytes in the order of their characters,
  // then the merged ones as they were learnt. Fewer than asked for where the texts have no more
  // pairs of min_frequency.
  std::vector<std::string> vocabulary;
  std::vector<TokenPair> merges;

  int64_t texts = 0;
  int64_t bytes = 0;
  int64_t words = 0;
  int64_t distinct_words = 0;  // without long ones
  int64_t long_words = 0;      // beyond BpeLimits::word_bytes
  int64_t learnt_bytes = 0;    // of all words but the long ones
  int64_t tokens = 0;          // what the learnt tokenizer makes of those bytes
};

class BpeTrainer {
 public:
  // kUsage: a vocabulary that cannot hold the special tokens and the 256 bytes, or of more than a
  // million; a min_frequency below 1; special tokens that are none, empty, not UTF-8, twice the
  // same or written as a byte is.
  explicit BpeTrainer(BpeTraining training);

  // Counts the words of a text; no word spans two texts. kInput, naming the text by its number:
  // bytes that are not UTF-8, a text or more distinct words than the limits allow.
  void add(std::string_view text);

  // kInput where no text had a word. What was added stays, more may follow.
  LearntBpe train() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  void count(std::string_view word);
  BpePairCounts pairs(int32_t first_byte_id) const;

  BpeTraining training_;
  std::unique_ptr<const PreTokenizer> words_;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_;  // in the byte alphabet
  std::size_t distinct_bytes_ = 0;
  LearntBpe seen_;  // what is known of the texts before anything is learnt
};

// The pre-tokenizer of such a tokenizer, and its decoder, as tokenizer.json writes them.
Json byte_level_stage();

}  // namespace inlay::text
