#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "formats/checkpoint_files.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = 64u << 20;

[[noreturn]] void fail_without_weights(const fs::path& folder) {
  require(fs::is_directory(folder), ErrorKind::kInput, "{}: there is no such model folder",
          folder.string());
  bool pickled = fs::exists(folder / "pytorch_model.bin") ||
                 fs::exists(folder / "pytorch_model.bin.index.json");
  fail(ErrorKind::kInput, "{}: neither {} nor {} is there{}", folder.string(), kSingle, kIndex,
       pickled ? "; pytorch_model.bin is not read, convert it to safetensors" : "");
}

using WeightMap = std::map<std::string, std::string>;  // tensor to file

WeightMap read_index(const fs::path& path) {
  Json index = read_json(path, kMaxIndexBytes);
  require(index.is_object() && index.contains("weight_map") && index["weight_map"].is_object(),
          ErrorKind::kInput, "{}: expected an object with an object \"weight_map\"", path.string());
  WeightMap map;
  for (const auto& [name, file] : index["weight_map"].items()) {
    require(file.is_string(), ErrorKind::kInput,
            "{}: the file of tensor \"{}\" is {}; expected a string", path.string(), name,
            file.type_name());
    map[name] = file.get<std::string>();
  }
  require(!map.empty(), ErrorKind::kInput, "{}: \"weight_map\" names no tensor", path.string());
  return map;
}

// Every tensor of a shard must be mapped to that shard, and to no other.
void check_shard(const SafetensorsFile& shard, const std::string& file, const WeightMap& map,
                 const fs::path& index) {
  for (const SafetensorsEntry& entry : shard.entries()) {
    auto found = map.find(entry.name);
    require(found != map.end(), ErrorKind::kInput,
            "{}: tensor \"{}\" of shard {} is not in the index", index.string(), entry.name, file);
    require(found->second == file, ErrorKind::kInput,
            "{}: tensor \"{}\" is in shard {}, but the index places it in {}", index.string(),
            entry.name, file, found->second);
  }
  for (const auto& [name, place] : map) {
    require(place != file || shard.contains(name), ErrorKind::kInput,
            "{}: the index places tensor \"{}\" in {}, which does not hold it", index.string(),
            name, file);
  }
}

class SafetensorsFolder : public CheckpointFiles {
 public:
  explicit SafetensorsFolder(const fs::path& folder);

  std::vector<std::string> names() const override;
  bool contains(std::string_view name) const override { return index_.find(name) != index_.end(); }
  StoredTensor stored(std::string_view name) const override;
  std::vector<StoredTensor> all_stored() const override;
  Tensor tensor(std::string_view name) const override { return file_of(name).tensor(name); }
  std::optional<QuantisedMatrix> quantised(std::string_view) const override { return std::nullopt; }
  // Any of the files can give back pages: they are told by their addresses.
  void drop_pages(std::span<const std::byte> part) const override { files_[0].drop_pages(part); }

 private:
  void open_shards(const fs::path& index);
  const SafetensorsFile& file_of(std::string_view name) const;

  fs::path folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t, std::less<>> index_;  // name to file
};

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) : folder_(folder) {
  if (fs::exists(folder / kSingle)) {
    files_.push_back(SafetensorsFile::open(folder / kSingle));
    for (const std::string& name : files_[0].names()) index_[name] = 0;
    return;
  }
  fs::path index = folder / kIndex;
  if (!fs::exists(index)) fail_without_weights(folder);
  open_shards(index);
}

void SafetensorsFolder::open_shards(const fs::path& index) {
  WeightMap map = read_index(index);
  std::map<std::string, std::size_t> places;
  for (const auto& [name, file] : map) {
    auto [place, is_new] = places.emplace(file, files_.size());
    if (is_new) {
      fs::path path = child_path(folder_, file);
      require(fs::exists(path), ErrorKind::kInput,
              "{}: shard {} is missing; pull or copy the model again", index.string(), file);
      files_.push_back(SafetensorsFile::open(path));
      check_shard(files_.back(), file, map, index);
    }
    index_[name] = place->second;
  }
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : index_) names.push_back(name);
  return names;
}

const SafetensorsFile& SafetensorsFolder::file_of(std::string_view name) const {
  auto found = index_.find(name);
  require(found != index_.end(), ErrorKind::kInput, "{}: there is no tensor \"{}\" among its {}",
          folder_.string(), name, index_.size());
  return files_[found->second];
}

StoredTensor SafetensorsFolder::stored(std::string_view name) const {
  const SafetensorsFile& file = file_of(name);
  const SafetensorsEntry& entry = file.entry(name);
  return {entry.name, entry.dtype_name, entry.sizes, file.raw_bytes(name)};
}

std::vector<StoredTensor> SafetensorsFolder::all_stored() const {
  std::vector<StoredTensor> all;
  for (const auto& [name, file] : index_) all.push_back(stored(name));
  return all;
}

}  // namespace

std::shared_ptr<const CheckpointFiles> open_safetensors_folder(const fs::path& folder) {
  return std::make_shared<const SafetensorsFolder>(folder);
}

}  // namespace inlay
