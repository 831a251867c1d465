#include "data/chat/chat_data.h"

#include <utility>

#include "base/error.h"
#include "data/chat/conversation_rows.h"
#include "data/chat/dataset_info.h"
#include "data/chat/preference_rows.h"

namespace inlay {
namespace {

struct ChatSources {
  std::vector<DataSources::File> files;
  std::optional<ChatLayout> layout;  // from dataset_info.json
};

ChatSources find_chat_sources(const ChatSpec& spec) {
  DatasetChoice choice;
  if (spec.from.paths.size() == 1) choice = dataset_choice(spec.from.paths[0]);
  if (choice.file.empty()) return {.files = find_sources(spec.from).files, .layout = std::nullopt};
  require(!spec.format, ErrorKind::kUsage,
          "{} says what the format is; name a format or give it, not both", choice.file.string());
  DatasetInfo chosen = read_dataset_info(choice);
  return {.files = find_sources({.paths = {chosen.path}}).files, .layout = chosen.layout};
}

ChatLayout layout_for(const ChatRecord& record, const ChatSpec& spec) {
  return spec.format ? named_layout(*spec.format, record) : recognised_layout(record);
}

// Reads all files; `read` makes one item of a record.
template <class Item, class Read>
void read_all(const ChatSpec& spec, std::vector<Item>& items, std::vector<DataFile>& files,
              ChatLayout& chosen, const Read& read) {
  ChatSources sources = find_chat_sources(spec);
  for (const auto& source : sources.files) {
    files.push_back(each_chat_record(source.path, spec.limits, [&](const ChatRecord& record) {
      if (!sources.layout) sources.layout = layout_for(record, spec);
      items.push_back(read(record, *sources.layout));
      items.back().origin.file = files.size();
    }));
    files.back().part = source.part;
  }
  chosen = *std::move(sources.layout);
}

template <class Item>
std::string place_of(const std::vector<Item>& items, const std::vector<DataFile>& files,
                     std::size_t index) {
  const RecordOrigin& there = items[index].origin;
  auto shares_line = [&](std::size_t other) {
    const RecordOrigin& origin = items[other].origin;
    return origin.file == there.file && origin.line == there.line;
  };
  bool shared =
      (index > 0 && shares_line(index - 1)) || (index + 1 < items.size() && shares_line(index + 1));
  return fmt::format("{}:{}{}", files[there.file].path, there.line,
                     shared ? fmt::format(", record {}", there.row) : "");
}

}  // namespace

std::string ConversationData::place(std::size_t conversation) const {
  return place_of(conversations, files, conversation);
}

std::string PreferenceData::place(std::size_t preference) const {
  return place_of(preferences, files, preference);
}

ConversationData load_conversations(const ChatSpec& spec) {
  ConversationData data;
  read_all(spec, data.conversations, data.files, data.layout, read_conversation);
  return data;
}

PreferenceData load_preferences(const ChatSpec& spec) {
  PreferenceData data;
  read_all(spec, data.preferences, data.files, data.layout, read_preference);
  return data;
}

}  // namespace inlay
