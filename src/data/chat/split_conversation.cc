#include "data/chat/split_conversation.h"

#include <algorithm>
#include <utility>

namespace inlay {
namespace {

// The messages of a conversation in exchanges: from a turn of the user to the next.
class MessageSplitter {
 public:
  MessageSplitter(const Conversation& conversation, std::int64_t max_tokens,
                  const EncodeMessages& encode)
      : whole_(conversation), max_tokens_(max_tokens), encode_(encode) {
    const OrderedJson& messages = whole_.messages;
    lead_ = messages[0]["role"] == "system" ? 1 : 0;
    for (std::size_t i = lead_; i < messages.size(); ++i) {
      bool user = messages[i]["role"] == "user";
      if (i == lead_ || (user && messages[i - 1]["role"] != "user")) starts_.push_back(i);
    }
    starts_.push_back(messages.size());
  }

  std::vector<TrainingSequence> split() {
    std::vector<TrainingSequence> pieces;
    for (std::size_t first = 0; first < exchanges();) {
      std::size_t end = furthest(first);
      pieces.push_back(end > first ? std::move(fitting_) : encode_(piece(first, first + 1)));
      first = std::max(end, first + 1);
    }
    return pieces;
  }

 private:
  std::size_t exchanges() const { return starts_.size() - 1; }

  // The end of the longest piece from `first` that fits, which is kept; `first` where none does.
  // Strides double and are halved again, so that short pieces of a long conversation are cheap.
  std::size_t furthest(std::size_t first) {
    std::size_t end = first, stride = 1;
    while (fits(first, end + stride)) {
      end += stride;
      stride *= 2;
    }
    for (stride /= 2; stride > 0; stride /= 2) {
      if (fits(first, end + stride)) end += stride;
    }
    return end;
  }

  bool fits(std::size_t first, std::size_t end) {
    if (end > exchanges()) return false;
    TrainingSequence sequence = encode_(piece(first, end));
    if (static_cast<std::int64_t>(sequence.ids.size()) > max_tokens_) return false;
    fitting_ = std::move(sequence);
    return true;
  }

  Conversation piece(std::size_t first, std::size_t end) const {
    Conversation part{.messages = OrderedJson::array(), .tools = whole_.tools};
    for (std::size_t i = 0; i < lead_; ++i) copy(part, i);
    for (std::size_t i = starts_[first]; i < starts_[end]; ++i) copy(part, i);
    return part;
  }

  void copy(Conversation& part, std::size_t message) const {
    part.messages.push_back(whole_.messages[message]);
    if (!whole_.trained.empty()) part.trained.push_back(whole_.trained[message]);
  }

  const Conversation& whole_;
  std::int64_t max_tokens_;
  const EncodeMessages& encode_;
  std::size_t lead_ = 0;
  std::vector<std::size_t> starts_;  // of each exchange, and the end
  TrainingSequence fitting_;
};

}  // namespace

std::vector<TrainingSequence> split_messages(const Conversation& conversation,
                                             std::int64_t max_tokens,
                                             const EncodeMessages& encode) {
  return MessageSplitter(conversation, max_tokens, encode).split();
}

std::vector<TrainingSequence> split_plain(const TrainingSequence& sequence, std::int64_t max_tokens,
                                          bool begins_with_bos) {
  std::vector<TrainingSequence> windows;
  auto stride = static_cast<std::size_t>(max_tokens - 1);
  for (std::size_t begin = 1; begin < sequence.ids.size(); begin += stride) {
    std::size_t end = std::min(begin + stride, sequence.ids.size());
    TrainingSequence window;
    window.ids = {sequence.ids[begins_with_bos ? 0 : begin - 1]};
    window.in_loss = {0};
    for (std::size_t i = begin; i < end; ++i) {
      window.ids.push_back(sequence.ids[i]);
      window.in_loss.push_back(sequence.in_loss[i]);
    }
    windows.push_back(std::move(window));
  }
  return windows;
}

}  // namespace inlay
