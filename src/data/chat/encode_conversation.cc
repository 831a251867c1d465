#include "data/chat/encode_conversation.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "data/characters.h"
#include "data/chat/loss_mask.h"
#include "data/chat/split_conversation.h"
#include "data/chat/turn_extents.h"
#include "text/chat/chat_tokens.h"

namespace inlay {
namespace {

// 26 July 2024, a Friday and the 208th day, at noon.
constexpr std::tm kDate = {.tm_sec = 0,
                           .tm_min = 0,
                           .tm_hour = 12,
                           .tm_mday = 26,
                           .tm_mon = 6,
                           .tm_year = 124,
                           .tm_wday = 5,
                           .tm_yday = 207};

// Special tokens that can end a turn: what is unknown to the vocabulary is no sign of anything.
std::vector<std::int32_t> ending_ids(const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids = tokenizer.special_ids();
  if (auto unknown = tokenizer.special_id("unk")) std::erase(ids, *unknown);
  return ids;
}

std::int32_t eos_of(const Tokenizer& tokenizer) {
  auto eos = tokenizer.special_id("eos");
  require(eos.has_value(), ErrorKind::kInput,
          "the tokenizer names no eos token, with which a text must end; add \"eos_token\" to its "
          "tokenizer_config.json");
  return *eos;
}

// A plain text, the prompt before it, and EOS.
TrainingSequence encode_plain(const Conversation& plain, const Tokenizer& tokenizer, LossOn loss) {
  const TextPart parts[] = {{plain.prompt, true}, {plain.continuation, true}};
  Encoding encoding = tokenizer.encode_parts(parts);
  std::int64_t given = loss == LossOn::kAll ? 0 : character_count(plain.prompt);
  TrainingSequence sequence;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    bool added = encoding.part_ids[i] < 0;
    bool learned = added ? loss == LossOn::kAll : encoding.offsets[i].second > given;
    sequence.in_loss.push_back(learned ? 1 : 0);
  }
  sequence.ids = std::move(encoding.ids);
  std::int32_t eos = eos_of(tokenizer);
  if (sequence.ids.size() < 2 || sequence.ids.back() != eos) {
    sequence.ids.push_back(eos);
    sequence.in_loss.push_back(1);
  }
  sequence.in_loss.back() = 1;
  return sequence;
}

LossMask mask_of(const Rendered& rendered, const Encoding& encoding,
                 const Conversation& conversation, const Tokenizer& tokenizer,
                 const ModelChatTemplate& chat_template, const RenderOptions& options,
                 LossOn loss) {
  SpokenBy by_default = loss == LossOn::kMessages ? SpokenBy::kNobody : SpokenBy::kAssistant;
  auto extents = turn_extents(rendered, conversation, chat_template, options, by_default);
  LossMask mask = loss_mask(rendered.text, encoding, extents, ending_ids(tokenizer));
  if (loss == LossOn::kAll) std::fill(mask.in_loss.begin(), mask.in_loss.end(), std::uint8_t{1});
  return mask;
}

TrainingSequence encode_messages(const Conversation& conversation, const Tokenizer& tokenizer,
                                 const ModelChatTemplate& chat_template, LossOn loss) {
  RenderOptions options{.tools = conversation.tools, .now = kDate};
  Rendered rendered = chat_template.render(conversation.messages, options);
  Encoding encoding = encode_chat(rendered, chat_template, tokenizer);
  LossMask mask =
      mask_of(rendered, encoding, conversation, tokenizer, chat_template, options, loss);
  return {.ids = std::move(encoding.ids),
          .in_loss = std::move(mask.in_loss),
          .open_turns = std::move(mask.open_turns)};
}

// Encodes one conversation after another within the limit, and counts.
class ConversationEncoder {
 public:
  ConversationEncoder(const Tokenizer& tokenizer, const ModelChatTemplate* chat_template,
                      const EncodeChatOptions& options)
      : tokenizer_(tokenizer), chat_template_(chat_template), options_(options) {}

  EncodedConversations encode(const Conversation& conversation, std::size_t source) const {
    EncodedConversations result;
    result.counts.conversations = 1;
    for (TrainingSequence& sequence : pieces(conversation, result.counts)) {
      sequence.source = source;
      keep(std::move(sequence), result);
    }
    return result;
  }

 private:
  bool is_too_long(const TrainingSequence& sequence) const {
    return options_.max_tokens > 0 &&
           static_cast<std::int64_t>(sequence.ids.size()) > options_.max_tokens;
  }

  TrainingSequence whole(const Conversation& conversation) const {
    return encode_conversation(conversation, tokenizer_, chat_template_, options_.loss);
  }

  std::vector<TrainingSequence> pieces(const Conversation& conversation,
                                       EncodingCounts& counts) const {
    TrainingSequence sequence = whole(conversation);
    std::vector<TrainingSequence> pieces;
    if (is_too_long(sequence) && options_.too_long == TooLong::kSplit) {
      pieces = split(conversation, sequence);
    } else {
      pieces.push_back(std::move(sequence));
    }
    counts.split = pieces.size() > 1 ? 1 : 0;
    counts.pieces = pieces.size() > 1 ? static_cast<std::int64_t>(pieces.size()) : 0;
    return pieces;
  }

  std::vector<TrainingSequence> split(const Conversation& conversation,
                                      const TrainingSequence& sequence) const {
    if (conversation.is_plain()) {
      bool bos = tokenizer_.special_id("bos") == sequence.ids[0];
      return split_plain(sequence, options_.max_tokens, bos);
    }
    return split_messages(conversation, options_.max_tokens,
                          [&](const Conversation& piece) { return whole(piece); });
  }

  void keep(TrainingSequence sequence, EncodedConversations& result) const {
    EncodingCounts& counts = result.counts;
    if (is_too_long(sequence)) {
      auto most = static_cast<std::size_t>(options_.max_tokens);
      ++counts.truncated;
      counts.tokens_cut += static_cast<std::int64_t>(sequence.ids.size() - most);
      sequence.ids.resize(most);
      sequence.in_loss.resize(most);
      std::erase_if(sequence.open_turns, [&](std::size_t behind) { return behind > most; });
    }
    auto learned = std::count(sequence.in_loss.begin(), sequence.in_loss.end(), std::uint8_t{1});
    if (learned == 0) {
      ++counts.without_loss;
      return;
    }
    ++counts.sequences;
    counts.tokens += static_cast<std::int64_t>(sequence.ids.size());
    counts.tokens_in_loss += learned;
    counts.open_turns += static_cast<std::int64_t>(sequence.open_turns.size());
    result.sequences.push_back(std::move(sequence));
  }

  const Tokenizer& tokenizer_;
  const ModelChatTemplate* chat_template_;
  const EncodeChatOptions& options_;
};

}  // namespace

TrainingSequence encode_conversation(const Conversation& conversation, const Tokenizer& tokenizer,
                                     const ModelChatTemplate* chat_template, LossOn loss) {
  require(conversation.is_plain() || chat_template != nullptr, ErrorKind::kInput,
          "a conversation needs a chat template, and the model has none; give one, or plain text "
          "(\"text\", or \"prompt\" and \"completion\")");
  TrainingSequence sequence = conversation.is_plain()
                                  ? encode_plain(conversation, tokenizer, loss)
                                  : encode_messages(conversation, tokenizer, *chat_template, loss);
  if (!sequence.in_loss.empty()) sequence.in_loss[0] = 0;  // nothing stands before it
  return sequence;
}

EncodedConversations encode_conversations(const ConversationData& data, const Tokenizer& tokenizer,
                                          const ModelChatTemplate* chat_template,
                                          const EncodeChatOptions& options) {
  require(options.max_tokens == 0 || options.max_tokens >= 2, ErrorKind::kUsage,
          "max_tokens is {}; expected 2 or more, or 0 for no limit", options.max_tokens);
  ConversationEncoder encoder(tokenizer, chat_template, options);
  std::size_t count = data.conversations.size();
  std::vector<EncodedConversations> each(count);
  // The first conversation that fails is reported, whichever thread meets it.
  std::mutex lock;
  std::size_t failed = count;
  std::string message;
#pragma omp parallel for schedule(dynamic, 16)
  for (std::size_t i = 0; i < count; ++i) {
    try {
      each[i] = encoder.encode(data.conversations[i], i);
    } catch (const std::exception& error) {
      std::lock_guard guard(lock);
      if (i < failed) {
        failed = i;
        message = error.what();
      }
    }
  }
  if (failed < count) fail(ErrorKind::kInput, "{}: {}", data.place(failed), message);
  EncodedConversations all;
  for (EncodedConversations& one : each) {
    all.counts.add(one.counts);
    std::move(one.sequences.begin(), one.sequences.end(), std::back_inserter(all.sequences));
  }
  return all;
}

}  // namespace inlay
