// The records of a file of conversations: JSON Lines, a JSON array, CSV, TSV, or plain text. Each
// is an object of its own, so that memory goes with the longest record.
//
//   DataFile file = each_chat_record("chat.jsonl", {}, [&](const ChatRecord& record) {
//     std::string answer = record.text("output");
//   });
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "data/dataset.h"
#include "text/chat/chat_template.h"

namespace inlay {

struct ChatLimits {
  std::size_t file_bytes = std::size_t{1} << 30;
  std::size_t record_bytes = std::size_t{16} << 20;
  std::size_t values = 20'000'000;  // of JSON, in all records of a file
};

struct ChatRecord {
  OrderedJson fields;  // an object
  std::string where;   // "chat.jsonl: line 3", or "chat.json: line 1, record 3" in a JSON array
  std::size_t line = 0;
  std::size_t row = 0;

  // Null where the key is absent, or its value null or an empty string.
  const OrderedJson* find(const std::string& key) const;
  // kInput where the key is absent or holds anything but a string.
  const std::string& text(const std::string& key) const;
  // Empty where find() is null.
  std::string text_or_empty(const std::string& key) const;
  // What a missing key is answered with.
  [[noreturn]] void missing(const std::string& key, std::string_view expected) const;
};

using ChatRecordVisitor = std::function<void(const ChatRecord&)>;

// Every record of a file in its order. A .txt file is plain text: blank lines part it into
// documents, each a record {"text": …}. Of CSV and TSV all values are strings. kInput with file and
// line: what is not UTF-8 or not JSON, a record that is no object, a limit that is passed, a file
// without records.
DataFile each_chat_record(const std::string& path, const ChatLimits& limits,
                          const ChatRecordVisitor& visit);

}  // namespace inlay
