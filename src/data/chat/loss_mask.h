// Which tokens of a rendered conversation are in the loss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/chat/turn_extents.h"
#include "text/tokenizer.h"

namespace inlay {

struct LossMask {
  std::vector<std::uint8_t> in_loss;  // one per token
  // For each turn behind which nothing was found that ends it, the token behind its words.
  std::vector<std::size_t> open_turns;
};

// The tokens of the extents and of what ends each turn, as encode_conversation() says.
// `encoding` is of the whole text, with no token added; `special_ids` ascending.
LossMask loss_mask(std::string_view text, const Encoding& encoding,
                   std::span<const TurnExtent> extents, std::span<const std::int32_t> special_ids);

}  // namespace inlay
