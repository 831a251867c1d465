// LLaMA-Factory's dataset_info.json: which file a data set is, in what format, under which keys.
//
//   {"mine": {"file_name": "mine.json", "formatting": "sharegpt", "columns": {"messages": "turns"},
//             "tags": {"role_tag": "who", "content_tag": "what"}}}
//
// Read are file_name, formatting (alpaca, sharegpt, openai), ranking, columns and tags, as that
// program understands them: where "columns" (or "tags") are given, those that are not named do not
// exist. An entry with "prompt" as its only text is raw text. "split", "subset" and "folder", which
// tell it what to take from a hub, are ignored. Of several entries a path FOLDER/NAME chooses one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "data/chat/chat_layout.h"

namespace inlay {

constexpr std::string_view kDatasetInfoFile = "dataset_info.json";

struct DatasetChoice {
  std::filesystem::path file;  // the dataset_info.json; empty where there is none
  std::string name = {};       // of the entry; empty for the only one
};

// What the path stands for: the file itself or its folder; or, where nothing else is called so, an
// entry FOLDER/NAME of the file in that folder.
DatasetChoice dataset_choice(const std::filesystem::path& path);

struct DatasetInfo {
  std::string path;  // a file, or a folder of data files
  ChatLayout layout;
};

// The entry that is chosen. kInput: no such entry, an entry on a remote hub, a path that leaves the
// folder (by a symbolic link, too), and what is not supported: images, videos, audios, kto_tag,
// num_samples, tools that load scripts. REQUIRES: a file.
DatasetInfo read_dataset_info(const DatasetChoice& choice);

}  // namespace inlay
