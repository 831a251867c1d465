#include "data/chat/language_dataset.h"

#include <memory>
#include <utility>

namespace inlay {
namespace {

// A message on a line of its own, with who speaks.
std::string shown(const Conversation& conversation) {
  if (conversation.is_plain()) return conversation.prompt + conversation.continuation;
  std::string text;
  for (const OrderedJson& message : conversation.messages) {
    if (!text.empty()) text += '\n';
    text += message.at("role").get<std::string>() + ": ";
    const OrderedJson& content = message.at("content");
    text += content.is_string() ? content.get<std::string>() : content.dump();
  }
  return text;
}

}  // namespace

Dataset load_language_dataset(const DatasetSpec& spec) {
  ChatSpec chat{.from = spec.from};
  if (!spec.format.empty()) chat.format = chat_format_named(spec.format);
  auto read = std::make_shared<ConversationData>(load_conversations(chat));
  Dataset data{.kind = TaskKind::kLanguage};
  data.columns.text = {.name = std::string(name_of(read->layout.format)),
                       .origin = read->layout.origin};
  data.files = read->files;
  data.examples.reserve(read->conversations.size());
  for (const Conversation& conversation : read->conversations) {
    Example example{.text = shown(conversation)};
    example.file = conversation.origin.file;
    example.line = conversation.origin.line;
    example.row = conversation.origin.row;
    data.examples.push_back(std::move(example));
  }
  data.conversations = std::move(read);
  return data;
}

}  // namespace inlay
