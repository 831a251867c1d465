// Conversations and texts as a decoder language model is trained on them: token ids, and for each
// whether it is in the loss.
//
//   EncodedConversations encoded = encode_conversations(data, tokenizer, &chat_template,
//                                                       {.max_tokens = 2048});
//   log(encoded.counts.describe());
//
// What the assistant says is found by the marks of the rendered template, never by looking for
// words in the text; special tokens that a message writes stay text. The date that a template may
// ask for is always 26 July 2024, as where a template has one of its own: a run gives the same
// tokens on any day.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/chat/chat_data.h"
#include "data/chat/encoding_counts.h"
#include "text/chat/chat_template_files.h"
#include "text/tokenizer.h"

namespace inlay {

enum class LossOn {
  kAssistant,  // what the assistant says, unless a message says otherwise of itself; a completion
  kAll,        // everything
  kMessages,   // messages of which the data says so, and no others; a completion
};

enum class TooLong {
  kTruncate,  // cut at the end
  kSplit,     // go on in a further sequence
};

struct EncodeChatOptions {
  LossOn loss = LossOn::kAssistant;
  std::int64_t max_tokens = 0;  // of a sequence; 0 for no limit
  TooLong too_long = TooLong::kTruncate;
};

// ids[i] is learned from ids[0] to ids[i - 1] where in_loss[i] is 1. The first never is.
struct TrainingSequence {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> in_loss;
  // For each turn in the loss behind which the template writes no end, the token behind its words.
  std::vector<std::size_t> open_turns = {};
  std::size_t source = 0;  // index of the conversation
};

// One conversation without a limit of its length. Of messages, in the loss are the words of a turn
// and the token that ends it, with the blanks between them; also what the template writes around a
// call of a tool or a thought, as far as the model is to write it. A token that holds any character
// of the words is one of them. Where no special token ends a turn, the rest of the line that the
// template writes behind it does. The template alone says whether there is a BOS.
// Of plain text: what the tokenizer makes of it, and the EOS, in the loss, too; a token that holds
// a character of the prompt alone is not in it. kInput: a conversation of messages without a
// template (null), an error of the template, a tokenizer that knows no EOS.
TrainingSequence encode_conversation(const Conversation& conversation, const Tokenizer& tokenizer,
                                     const ModelChatTemplate* chat_template,
                                     LossOn loss = LossOn::kAssistant);

struct EncodedConversations {
  std::vector<TrainingSequence> sequences;  // in the order of the data
  EncodingCounts counts;
};

// All of them, in parallel, within the limit. Where one is too long, kSplit makes several of it:
// - of a conversation at turns of the user, each with the system message at its beginning; what is
//   too long from one turn of the user to the next is cut at the end;
// - of plain text windows, each with the BOS at its beginning, or else the last token of the window
//   before, so that every token is learned once.
// A sequence without a token in the loss is left out and counted. kInput with file and line as
// encode_conversation(); kUsage: max_tokens of 1 or less than 0.
EncodedConversations encode_conversations(const ConversationData& data, const Tokenizer& tokenizer,
                                          const ModelChatTemplate* chat_template,
                                          const EncodeChatOptions& options);

}  // namespace inlay
