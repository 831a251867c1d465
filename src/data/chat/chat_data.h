// Conversations, texts and preferences read from files, checked in full before anything is trained.
//
//   ConversationData data = load_conversations({.from = {.paths = {"chat.jsonl"}}});
//   log(data.layout.describe());      // format messages (recognised by "messages")
//   data.conversations[0].messages;   // what a chat template takes
//
// The format is recognised once, from the first record, and holds for all files. A folder with a
// dataset_info.json, that file itself, or FOLDER/NAME for one of its data sets, is read as
// LLaMA-Factory does (dataset_info.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/chat/chat_layout.h"
#include "data/chat/conversation.h"
#include "data/dataset.h"
#include "data/sources.h"

namespace inlay {

struct ChatSpec {
  DataPaths from;
  std::optional<ChatFormat> format = {};  // unset: recognised
  ChatLimits limits = {};
};

struct ConversationData {
  std::vector<Conversation> conversations;  // in the order of files and records
  std::vector<DataFile> files;
  ChatLayout layout;

  // "chat.jsonl:12", or "chat.json:1, record 3" where the line alone does not tell.
  std::string place(std::size_t conversation) const;
};

struct PreferenceData {
  std::vector<Preference> preferences;
  std::vector<DataFile> files;
  ChatLayout layout;

  std::string place(std::size_t preference) const;
};

// kInput with file and line for every record that read_conversation() or read_preference() refuses.
ConversationData load_conversations(const ChatSpec& spec);
PreferenceData load_preferences(const ChatSpec& spec);

}  // namespace inlay
