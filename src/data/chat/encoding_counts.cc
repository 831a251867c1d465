#include "data/chat/encoding_counts.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/units.h"

namespace inlay {
namespace {

std::string counted(std::int64_t count, const char* thing) {
  return format_count(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace

void EncodingCounts::add(const EncodingCounts& further) {
  conversations += further.conversations;
  sequences += further.sequences;
  tokens += further.tokens;
  tokens_in_loss += further.tokens_in_loss;
  truncated += further.truncated;
  tokens_cut += further.tokens_cut;
  split += further.split;
  pieces += further.pieces;
  without_loss += further.without_loss;
  open_turns += further.open_turns;
}

void EncodingCounts::leave_out(const std::vector<std::uint8_t>& in_loss) {
  --sequences;
  ++without_loss;
  tokens -= static_cast<std::int64_t>(in_loss.size());
  tokens_in_loss -= std::count(in_loss.begin(), in_loss.end(), std::uint8_t{1});
}

std::string EncodingCounts::describe() const {
  std::string line = fmt::format(
      "{}, {}: {}, {} in the loss", counted(conversations, "conversation"),
      counted(sequences, "sequence"), counted(tokens, "token"), format_count(tokens_in_loss));
  const char* joint = "; ";
  auto say = [&](const std::string& more) {
    line += joint + more;
    joint = ", ";
  };
  if (truncated > 0) {
    say(fmt::format("{} cut at the end ({} lost)", format_count(truncated),
                    counted(tokens_cut, "token")));
  }
  if (split > 0)
    say(fmt::format("{} split into {}", format_count(split), counted(pieces, "piece")));
  if (without_loss > 0)
    say(fmt::format("{} left out with nothing in the loss", format_count(without_loss)));
  if (open_turns > 0)
    say(fmt::format("{} without a token that ends them", counted(open_turns, "turn")));
  return line;
}

}  // namespace inlay
