// What became of conversations on their way to sequences of tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inlay {

struct EncodingCounts {
  std::int64_t conversations = 0;   // that were given
  std::int64_t sequences = 0;       // that came of them, without those left out
  std::int64_t tokens = 0;          // of these sequences
  std::int64_t tokens_in_loss = 0;  // of these
  std::int64_t truncated = 0;       // sequences that were cut at the end
  std::int64_t tokens_cut = 0;      // that were lost so
  std::int64_t split = 0;           // conversations that were split
  std::int64_t pieces = 0;          // into so many
  std::int64_t without_loss = 0;    // sequences left out: none of their tokens is in the loss
  std::int64_t open_turns = 0;      // turns in the loss that no token ends

  void add(const EncodingCounts& further);
  // A sequence that was counted, and is left out after all.
  void leave_out(const std::vector<std::uint8_t>& in_loss);
  // 3 conversations, 4 sequences: 1,200 tokens, 380 in the loss; 1 cut at the end (96 tokens lost),
  // 1 split into 2 pieces. What did not happen is not said.
  std::string describe() const;
};

}  // namespace inlay
