// A conversation that is too long for one sequence, in pieces that are conversations of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/chat/encode_conversation.h"

namespace inlay {

using EncodeMessages = std::function<TrainingSequence(const Conversation&)>;

// Cuts where a turn of the user begins, and keeps the system message and the tools in every piece.
// Each piece is the longest that `encode` brings into max_tokens; the exception is a single
// exchange that is too long, which comes as it is. REQUIRES: not plain.
std::vector<TrainingSequence> split_messages(const Conversation& conversation,
                                             std::int64_t max_tokens, const EncodeMessages& encode);

// Windows over plain text. Each begins with the sequence's own first token where that is `bos`, or
// else with the last token of the window before, so that every token but the first is in exactly
// one window behind another. REQUIRES: max_tokens >= 2.
std::vector<TrainingSequence> split_plain(const TrainingSequence& sequence, std::int64_t max_tokens,
                                          bool begins_with_bos);

}  // namespace inlay
