#include "data/chat/language_dataset.h"

#include <memory>
#include <utility>

#include "base/error.h"

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

void refuse_columns(const DatasetSpec& spec) {
  const ColumnNames& named = spec.columns;
  for (const std::string* name :
       {&named.text, &named.text_pair, &named.label, &named.further, &named.adapter}) {
    require(name->empty(), ErrorKind::kUsage,
            "column \"{}\" is named, but data of kind {} are read by the keys of their format; "
            "leave it out",
            *name, describe(spec.kind));
  }
}

ChatSpec chat_spec(const DatasetSpec& spec) {
  refuse_columns(spec);
  ChatSpec chat{.from = spec.from};
  if (!spec.format.empty()) chat.format = chat_format_named(spec.format);
  return chat;
}

Example placed(Example example, const RecordOrigin& origin) {
  example.file = origin.file;
  example.line = origin.line;
  example.row = origin.row;
  return example;
}

ColumnChoice::One read_as(const ChatLayout& layout) {
  return {.name = std::string(name_of(layout.format)), .origin = layout.origin};
}

}  // namespace

bool read_by_format(TaskKind kind) {
  return kind == TaskKind::kLanguage || kind == TaskKind::kPreference;
}

Dataset load_language_dataset(const DatasetSpec& spec) {
  auto read = std::make_shared<ConversationData>(load_conversations(chat_spec(spec)));
  Dataset data{.kind = TaskKind::kLanguage};
  data.columns.text = read_as(read->layout);
  data.files = read->files;
  data.examples.reserve(read->conversations.size());
  for (const Conversation& conversation : read->conversations)
    data.examples.push_back(placed({.text = shown(conversation)}, conversation.origin));
  data.conversations = std::move(read);
  return data;
}

Dataset load_preference_dataset(const DatasetSpec& spec) {
  auto read = std::make_shared<PreferenceData>(load_preferences(chat_spec(spec)));
  Dataset data{.kind = TaskKind::kPreference};
  data.columns.text = read_as(read->layout);
  data.files = read->files;
  data.examples.reserve(read->preferences.size());
  for (const Preference& preference : read->preferences) {
    data.examples.push_back(placed({.text = shown(preference.prompt),
                                    .text_pair = shown(preference.chosen),
                                    .further = {shown(preference.rejected)}},
                                   preference.origin));
  }
  data.preferences = std::move(read);
  return data;
}

}  // namespace inlay
