#include "eval/masking.h"

#include <limits>

#include "autograd/ops/losses.h"
#include "base/error.h"

namespace inlay {
namespace {

// Thresholds of 32 random bits.
constexpr uint32_t share(double probability) {
  return static_cast<uint32_t>(probability * 4294967296.0);
}
constexpr uint32_t kChosen = share(0.15), kMasked = share(0.8), kReplaced = share(0.9);

int32_t required_mask(const Tokenizer& tokenizer) {
  std::optional<int32_t> mask = tokenizer.special_id("mask");
  require(
      mask.has_value(), ErrorKind::kInput,
      "the tokenizer has no mask token, so the base was not pretrained to fill gaps; use a base "
      "whose tokenizer has one, such as [MASK] of BERT or <mask> of RoBERTa");
  return *mask;
}

// Four numbers per token: whether it is chosen, what becomes of it, and two for a random token.
PhiloxCounter numbers(const MaskingDraw& draw, std::size_t token) {
  return philox4x32({draw.epoch, draw.example, static_cast<uint32_t>(token), 0}, draw.key);
}

// [0, bound); the bias is below bound / 2^64.
std::size_t below(std::size_t bound, const PhiloxCounter& drawn) {
  __extension__ using Wide = unsigned __int128;
  uint64_t bits = (static_cast<uint64_t>(drawn[2]) << 32) | drawn[3];
  return static_cast<std::size_t>((static_cast<Wide>(bits) * bound) >> 64);
}

}  // namespace

Masking::Masking(const Tokenizer& tokenizer, int64_t vocabulary)
    : mask_(required_mask(tokenizer)), ordinary_(static_cast<std::size_t>(vocabulary), 0) {
  require(mask_ < vocabulary, ErrorKind::kInput,
          "the mask token has id {}, the model's vocabulary ends at {}; tokenizer and model do not "
          "belong together",
          mask_, vocabulary - 1);
  for (int32_t id = 0; id < vocabulary; ++id)
    ordinary_[static_cast<std::size_t>(id)] = tokenizer.has_token(id) ? 1 : 0;
  for (int32_t id : tokenizer.special_ids()) {
    if (id < vocabulary) ordinary_[static_cast<std::size_t>(id)] = 0;
  }
  for (int32_t id = 0; id < vocabulary; ++id) {
    if (ordinary(id)) replacements_.push_back(id);
  }
  require(!replacements_.empty(), ErrorKind::kInput,
          "the tokenizer has special tokens only; there is nothing to hide");
}

MaskedText Masking::hide(const TokenSequence& text, const MaskingDraw& draw) const {
  MaskedText masked{text, {}};
  std::size_t nearest = text.ids.size();  // the ordinary token that came nearest to being chosen
  uint32_t least = std::numeric_limits<uint32_t>::max();
  std::vector<std::size_t> chosen;
  for (std::size_t t = 0; t < text.ids.size(); ++t) {
    if (!ordinary(text.ids[t])) continue;
    uint32_t drawn = numbers(draw, t)[0];
    if (drawn < kChosen) chosen.push_back(t);
    if (nearest == text.ids.size() || drawn < least) {
      nearest = t;
      least = drawn;
    }
  }
  if (nearest == text.ids.size()) return {{text.ids, text.types, {0}}, {kIgnoredLabel}};
  if (chosen.empty()) chosen.push_back(nearest);
  for (std::size_t t : chosen) {
    PhiloxCounter drawn = numbers(draw, t);
    masked.tokens.asked.push_back(static_cast<int32_t>(t));
    masked.answers.push_back(text.ids[t]);
    if (drawn[1] < kMasked) {
      masked.tokens.ids[t] = mask_;
    } else if (drawn[1] < kReplaced) {
      masked.tokens.ids[t] = replacements_[below(replacements_.size(), drawn)];
    }
  }
  return masked;
}

MaskedText Masking::as_given(const TokenSequence& text) const {
  MaskedText asked{text, {}};
  for (std::size_t t = 0; t < text.ids.size(); ++t) {
    if (text.ids[t] == mask_) asked.tokens.asked.push_back(static_cast<int32_t>(t));
  }
  asked.answers.assign(asked.tokens.asked.size(), kIgnoredLabel);
  return asked;
}

}  // namespace inlay
