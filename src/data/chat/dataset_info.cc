#include "data/chat/dataset_info.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/nearest.h"
#include "data/encoding.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxInfoBytes = std::size_t{4} << 20;
constexpr std::array<const char*, 5> kRemote = {"hf_hub_url", "ms_hub_url", "om_hub_url",
                                                "script_url", "cloud_file_name"};
constexpr std::array<const char*, 4> kUnsupported = {"images", "videos", "audios", "kto_tag"};

// A name of LLaMA-Factory, where its value is kept here, and what it is where nothing is said.
struct Column {
  const char* name;
  std::string ChatKeys::*key;
  const char* usual;
};
constexpr std::array<Column, 9> kColumns = {{
    {"prompt", &ChatKeys::prompt, "instruction"},
    {"query", &ChatKeys::query, "input"},
    {"response", &ChatKeys::response, "output"},
    {"history", &ChatKeys::history, ""},
    {"messages", &ChatKeys::messages, "conversations"},
    {"system", &ChatKeys::system, ""},
    {"tools", &ChatKeys::tools, ""},
    {"chosen", &ChatKeys::chosen, ""},
    {"rejected", &ChatKeys::rejected, ""},
}};

struct Tag {
  const char* name;
  const char* role;
  const char* of_share_gpt;
  const char* of_open_ai;
};
constexpr std::array<Tag, 5> kTags = {{
    {"user_tag", "user", "human", "user"},
    {"assistant_tag", "assistant", "gpt", "assistant"},
    {"observation_tag", "tool", "observation", "tool"},
    {"function_tag", "function_call", "function_call", "function_call"},
    {"system_tag", "system", "system", "system"},
}};

bool is_set(const Json& object, const char* key) {
  return object.contains(key) && !object[key].is_null();
}

Json object_or_empty(const Json& entry, const char* key, const std::string& where) {
  if (!is_set(entry, key)) return Json::object();
  require(entry[key].is_object(), ErrorKind::kInput, "{}: \"{}\" is {}; expected an object", where,
          key, entry[key].type_name());
  return entry[key];
}

std::vector<std::string> names_of(const Json& entries) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries.items()) names.push_back(name);
  return names;
}

std::string chosen_name(const Json& entries, const DatasetChoice& choice) {
  const auto& [file, name] = choice;
  std::vector<std::string> names = names_of(entries);
  require(!names.empty(), ErrorKind::kInput, "{}: no data sets; expected at least one",
          file.string());
  if (name.empty()) {
    require(names.size() == 1, ErrorKind::kInput,
            "{}: holds the data sets {}; name the one that is meant behind the folder, such as {}",
            file.string(), listed(names), (file.parent_path() / names[0]).string());
    return names[0];
  }
  require(entries.contains(name), ErrorKind::kInput,
          "{}: there is no data set {}; there are {}; did you mean {}?", file.string(),
          excerpt(name), listed(names), excerpt(nearest_name(name, names)));
  return name;
}

void refuse_unsupported(const Json& entry, const std::string& where) {
  for (const char* key : kRemote) {
    require(!is_set(entry, key), ErrorKind::kInput,
            "{}: \"{}\" lies elsewhere; only local files are read: fetch it and give file_name",
            where, key);
  }
  require(!is_set(entry, "num_samples"), ErrorKind::kInput,
          "{}: \"num_samples\" is not supported; cut the file instead", where);
  const Json columns = object_or_empty(entry, "columns", where);
  for (const char* key : kUnsupported) {
    require(!is_set(columns, key), ErrorKind::kInput,
            "{}: the column \"{}\" is not supported; only text is trained on", where, key);
  }
}

// Neither by ".." nor by a symbolic link out of the folder.
std::string path_inside(const fs::path& folder, const std::string& name, const std::string& where) {
  fs::path path = folder.empty() ? fs::path(".") : folder;
  for (const fs::path& part : fs::path(name)) path = child_path(path, part.string());
  require(!name.empty() && fs::exists(path), ErrorKind::kInput,
          "{}: file_name is {}; there is no such file beside {}", where, excerpt(name),
          kDatasetInfoFile);
  std::string inside = fs::canonical(path).string();
  std::string root = fs::canonical(folder.empty() ? fs::path(".") : folder).string() + "/";
  require(inside.starts_with(root), ErrorKind::kInput,
          "{}: file_name is {}, a link out of the folder; expected a file inside", where,
          excerpt(name));
  return path.string();
}

ChatFormat format_of(const Json& entry, const std::string& where) {
  auto name = json_get_or<std::string>(entry, "formatting", "alpaca", where);
  if (name == "alpaca") return ChatFormat::kAlpaca;
  if (name == "sharegpt") return ChatFormat::kShareGpt;
  if (name == "openai") return ChatFormat::kMessages;
  fail(ErrorKind::kInput, "{}: formatting is {}; expected \"alpaca\", \"sharegpt\" or \"openai\"",
       where, excerpt(name));
}

ChatKeys keys_of(const Json& entry, const std::string& where) {
  const Json columns = object_or_empty(entry, "columns", where);
  std::string place = where + ": columns";
  std::vector<std::string> known;
  ChatKeys keys;
  for (const Column& column : kColumns) {
    const char* usual = is_set(entry, "columns") ? "" : column.usual;
    keys.*column.key = json_get_or<std::string>(columns, column.name, usual, place);
    known.emplace_back(column.name);
  }
  for (const auto& [key, value] : columns.items()) {
    require(value.is_null() || std::find(known.begin(), known.end(), key) != known.end(),
            ErrorKind::kInput, "{}: unknown column {}; expected one of {}", place, excerpt(key),
            listed(known));
  }
  return keys;
}

MessageKeys message_keys(const Json& entry, ChatFormat format, const std::string& where) {
  const Json tags = object_or_empty(entry, "tags", where);
  std::string place = where + ": tags";
  bool open_ai = format == ChatFormat::kMessages;
  MessageKeys keys;
  keys.role = json_get_or<std::string>(tags, "role_tag", open_ai ? "role" : "from", place);
  keys.content =
      json_get_or<std::string>(tags, "content_tag", open_ai ? "content" : "value", place);
  for (const Tag& tag : kTags) {
    const char* usual = open_ai ? tag.of_open_ai : tag.of_share_gpt;
    if (is_set(entry, "tags")) usual = "";
    auto name = json_get_or<std::string>(tags, tag.name, usual, place);
    if (!name.empty()) keys.roles[name] = tag.role;
  }
  return keys;
}

ChatLayout layout_of(const Json& entry, const std::string& name, const std::string& where) {
  ChatLayout layout;
  layout.format = format_of(entry, where);
  layout.ranking = json_get_or<bool>(entry, "ranking", false, where);
  layout.keys = keys_of(entry, where);
  layout.message = message_keys(entry, layout.format, where);
  layout.origin = fmt::format("{} of {}", excerpt(name), kDatasetInfoFile);
  bool text_alone = layout.keys.response.empty() && layout.keys.query.empty();
  if (layout.format == ChatFormat::kAlpaca && !layout.ranking && text_alone) {
    layout.format = ChatFormat::kText;
    layout.keys.text = layout.keys.prompt;
  }
  return layout;
}

}  // namespace

DatasetChoice dataset_choice(const fs::path& path) {
  DatasetChoice choice;
  if (fs::is_directory(path)) {
    choice.file = path / kDatasetInfoFile;
  } else if (fs::exists(path)) {
    if (path.filename() == kDatasetInfoFile) choice.file = path;
  } else if (path.has_filename() && path != "-") {
    choice = {.file = path.parent_path() / kDatasetInfoFile, .name = path.filename().string()};
  }
  return fs::is_regular_file(choice.file) ? choice : DatasetChoice();
}

DatasetInfo read_dataset_info(const DatasetChoice& choice) {
  const fs::path& file = choice.file;
  const Json entries = read_json(file, kMaxInfoBytes);
  require(entries.is_object(), ErrorKind::kInput, "{}: found {}; expected an object of data sets",
          file.string(), entries.type_name());
  std::string chosen = chosen_name(entries, choice);
  const Json& entry = entries[chosen];
  std::string where = fmt::format("{}: {}", file.string(), excerpt(chosen));
  require(entry.is_object(), ErrorKind::kInput, "{}: found {}; expected an object with file_name",
          where, entry.type_name());
  refuse_unsupported(entry, where);
  auto file_name = json_get<std::string>(entry, "file_name", where);
  return {.path = path_inside(file.parent_path(), file_name, where),
          .layout = layout_of(entry, chosen, where)};
}

}  // namespace inlay
