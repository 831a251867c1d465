#include "formats/checkpoint.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "formats/gguf_checkpoint.h"

namespace inlay {
namespace {

constexpr std::size_t kHashPiece = 4u << 20;

}  // namespace

Checkpoint Checkpoint::open(const std::filesystem::path& model) {
  return Checkpoint(is_gguf_file(model) ? open_gguf_checkpoint(model)
                                        : open_safetensors_folder(model));
}

std::string Checkpoint::hash_of(const StoredTensor& tensor) const {
  Sha256 hash;
  hash.update(fmt::format("{} {}\n", tensor.type, canonical_json(Json(tensor.sizes))));
  for (std::size_t at = 0; at < tensor.bytes.size(); at += kHashPiece) {
    auto piece = tensor.bytes.subspan(at, std::min(kHashPiece, tensor.bytes.size() - at));
    hash.update(piece);
    files_->drop_pages(piece);
  }
  return hex(hash.finish());
}

std::string Checkpoint::tensor_hash(std::string_view name) const { return hash_of(stored(name)); }

std::string Checkpoint::root_hash() const {
  Json hashes = Json::object();
  for (const StoredTensor& tensor : files_->all_stored()) hashes[tensor.name] = hash_of(tensor);
  return hex(sha256(canonical_json(hashes)));
}

}  // namespace inlay
