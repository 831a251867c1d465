// What Inlay records about an adapter beyond what PEFT and AdapterHub do: the base it belongs to,
// its method, its task and labels. It stands under the key "inlay" of adapter_config.json, which
// those libraries leave alone.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/storage.h"
#include "base/json.h"

namespace inlay {

inline constexpr const char* kRecordKey = "inlay";

struct AdapterRecord {
  std::string name;
  std::string method;  // as parse_method() reads it
  std::string base_root_hash;
  HeadLabel label;
  double head_dropout = 0.1;  // of a head whose files have no place for it
};

// The last component of a path, with or without a final slash.
std::string folder_name(const std::filesystem::path& path);

// adapter_config.json, of whichever library; kInput where there is none, or no object in it.
Json read_adapter_config(const std::filesystem::path& folder);

// A bundle without an adapter is recorded as method "head".
AdapterRecord record_of(const AdapterBundle& bundle, const BaseFacts& base);
Json record_to_json(const AdapterRecord& record);
// `config` is adapter_config.json; kInput when its record is wrong.
AdapterRecord record_from_config(const Json& config, const std::string& file);
// kInput naming both hashes when the record is of another base.
void check_base(const AdapterRecord& record, const BaseFacts& base, const std::string& where);

}  // namespace inlay
