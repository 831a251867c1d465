// The metadata of a GGUF file: keys with values, in the order of the file.
//
//   const GgufMetadata& metadata = file.metadata();
//   auto blocks = metadata.get<int64_t>("llama.block_count");
//   auto epsilon = metadata.get_or<double>("llama.attention.layer_norm_rms_epsilon", 1e-5);
//
//   GgufMetadata mine;
//   mine.set("general.architecture", GgufValue::of(std::string("llama")));
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf_value.h"

namespace inlay {

struct GgufMetadataEntry {
  std::string key;
  GgufValue value;
};

class GgufMetadata {
 public:
  // `where` names the source in messages.
  GgufMetadata() : GgufMetadata("GGUF metadata") {}
  explicit GgufMetadata(std::string where) : where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  const std::vector<GgufMetadataEntry>& entries() const { return entries_; }
  bool contains(std::string_view key) const { return index_.find(key) != index_.end(); }
  const GgufValue* find(std::string_view key) const;  // null when absent

  // T: what GgufValue::as takes. kInput, with file and key, when the key is absent or its value of
  // another type.
  template <class T>
  T get(std::string_view key) const;
  template <class T>
  T get_or(std::string_view key, T fallback) const {
    return contains(key) ? get<T>(key) : fallback;
  }

  // Appends, or replaces the value of a key in its place.
  void set(std::string_view key, GgufValue value);

  // Where tensors begin: at multiples of "general.alignment", 32 without that key. kInput when it
  // is no power of two of at most 1 MiB.
  uint64_t alignment() const;

 private:
  std::string where_;
  std::vector<GgufMetadataEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

}  // namespace inlay
