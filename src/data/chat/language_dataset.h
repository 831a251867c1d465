// Conversations, texts and preferences as a data set that can be split, counted and shown like any
// other.
#pragma once

#include "data/chat/chat_data.h"
#include "data/dataset.h"

namespace inlay {

// Whether data of this kind are read by the keys of a format (chat_layout.h), not by columns.
bool read_by_format(TaskKind kind);

// An example for each conversation, whose text is what people are shown of it; the conversations
// themselves are in Dataset::conversations. The columns say which format was read, and why.
// kUsage where the caller names a column, kInput as load_conversations().
Dataset load_language_dataset(const DatasetSpec& spec);

// An example for each preference: the prompt as its text, the chosen answer as its pair, and the
// rejected one as what is further; the preferences themselves are in Dataset::preferences.
// Errors as above, and as load_preferences().
Dataset load_preference_dataset(const DatasetSpec& spec);

}  // namespace inlay
