#include "formats/checkpoint.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = 64u << 20;
constexpr std::size_t kHashPiece = 4u << 20;

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

}  // namespace

Checkpoint Checkpoint::open(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  if (fs::exists(folder / kSingle)) {
    checkpoint.files_.push_back(SafetensorsFile::open(folder / kSingle));
    for (const std::string& name : checkpoint.files_[0].names()) checkpoint.index_[name] = 0;
    return checkpoint;
  }
  fs::path index = folder / kIndex;
  if (!fs::exists(index)) fail_without_weights(folder);
  WeightMap map = read_index(index);
  std::map<std::string, std::size_t> places;
  for (const auto& [name, file] : map) {
    auto [place, is_new] = places.emplace(file, checkpoint.files_.size());
    if (is_new) {
      fs::path path = child_path(folder, file);
      require(fs::exists(path), ErrorKind::kInput,
              "{}: shard {} is missing; pull or copy the model again", index.string(), file);
      checkpoint.files_.push_back(SafetensorsFile::open(path));
      check_shard(checkpoint.files_.back(), file, map, index);
    }
    checkpoint.index_[name] = place->second;
  }
  return checkpoint;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : index_) names.push_back(name);
  return names;
}

bool Checkpoint::contains(std::string_view name) const { return index_.find(name) != index_.end(); }

const SafetensorsFile& Checkpoint::file_of(std::string_view name) const {
  auto found = index_.find(name);
  require(found != index_.end(), ErrorKind::kInput, "{}: there is no tensor \"{}\" among its {}",
          folder_.string(), name, index_.size());
  return files_[found->second];
}

const SafetensorsEntry& Checkpoint::entry(std::string_view name) const {
  return file_of(name).entry(name);
}

Tensor Checkpoint::tensor(std::string_view name) const { return file_of(name).tensor(name); }

void Checkpoint::drop_pages(std::string_view name) const { file_of(name).drop_pages(name); }

std::string Checkpoint::tensor_hash(std::string_view name) const {
  const SafetensorsFile& file = file_of(name);
  const SafetensorsEntry& found = file.entry(name);
  Sha256 hash;
  hash.update(fmt::format("{} {}\n", found.dtype_name, canonical_json(Json(found.sizes))));
  std::span<const std::byte> bytes = file.raw_bytes(name);
  for (std::size_t at = 0; at < bytes.size(); at += kHashPiece) {
    auto piece = bytes.subspan(at, std::min(kHashPiece, bytes.size() - at));
    hash.update(piece);
    file.drop_pages(piece);
  }
  return hex(hash.finish());
}

std::string Checkpoint::root_hash() const {
  Json hashes = Json::object();
  for (const auto& [name, file] : index_) hashes[name] = tensor_hash(name);
  return hex(sha256(canonical_json(hashes)));
}

}  // namespace inlay
