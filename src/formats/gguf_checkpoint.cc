#include "formats/gguf_checkpoint.h"

#include <map>
#include <utility>

#include "base/error.h"
#include "formats/gguf_names.h"
#include "formats/rotary_rows.h"
#include "tensor/transposed.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Rows of blocks moved whole: a matrix of bytes.
QuantisedMatrix uninterleaved(const QuantisedMatrix& matrix, int64_t heads) {
  const auto bytes = static_cast<int64_t>(matrix.bytes().size());
  const Tensor rows =
      Tensor::borrow({matrix.rows(), bytes / matrix.rows()}, DType::kU8, matrix.bytes(), nullptr);
  auto moved = std::make_shared<const Tensor>(uninterleave_rows(rows, heads));
  return QuantisedMatrix::borrow(matrix.format(), {matrix.rows(), matrix.columns()}, moved->bytes(),
                                 moved);
}

Tensor minus_one(const Tensor& weight) {
  Tensor shifted = weight.to(DType::kF32).clone();
  auto* values = shifted.mutable_data<float>();
  for (int64_t i = 0; i < shifted.count(); ++i) values[i] -= 1;
  return shifted;
}

class GgufCheckpoint : public CheckpointFiles {
 public:
  explicit GgufCheckpoint(const fs::path& path);

  std::vector<std::string> names() const override;
  bool contains(std::string_view name) const override { return names_.find(name) != names_.end(); }
  StoredTensor stored(std::string_view name) const override { return stored_as(own_name(name)); }
  std::vector<StoredTensor> all_stored() const override;
  Tensor tensor(std::string_view name) const override;
  std::optional<QuantisedMatrix> quantised(std::string_view name) const override;
  void drop_pages(std::span<const std::byte> part) const override { file_.drop_pages(part); }

 private:
  const std::string& own_name(std::string_view name) const;
  StoredTensor stored_as(const std::string& own) const;
  // The heads by which the rows of a tensor are interleaved; 0 where they are not.
  int64_t interleaved_heads(const std::string& own, int64_t rows) const;

  std::string where_;
  GgufFile file_;
  std::string model_type_;
  int64_t heads_ = 0, kv_heads_ = 0;                       // of the llama architecture
  std::map<std::string, std::string, std::less<>> names_;  // Hugging Face's to the file's
};

// Factors of rotary positions are part of the configuration.
bool is_rotary_table(std::string_view own) {
  return own == "rope_freqs.weight" || own == "rope_factors_long.weight" ||
         own == "rope_factors_short.weight";
}

GgufCheckpoint::GgufCheckpoint(const fs::path& path)
    : where_(path.string()), file_(GgufFile::open(path)) {
  const ModelConfig config = read_gguf_config(file_);
  model_type_ = config.text("model_type");
  if (model_type_ == "llama") {
    heads_ = config.integer("num_attention_heads", 1, 4096);
    kv_heads_ = config.integer("num_key_value_heads", 1, 4096);
  }
  for (const GgufTensorInfo& info : file_.tensors()) {
    if (is_rotary_table(info.name)) continue;
    // A name that is not known stays: whoever reads the model says so.
    std::string name = hugging_face_name(model_type_, info.name).value_or(info.name);
    require(names_.emplace(std::move(name), info.name).second, ErrorKind::kInput,
            "{}: tensor \"{}\" is there under two names", where_, info.name);
  }
}

std::vector<std::string> GgufCheckpoint::names() const {
  std::vector<std::string> names;
  names.reserve(names_.size());
  for (const auto& [name, own] : names_) names.push_back(name);
  return names;
}

const std::string& GgufCheckpoint::own_name(std::string_view name) const {
  auto found = names_.find(name);
  require(found != names_.end(), ErrorKind::kInput, "{}: there is no tensor \"{}\" among its {}",
          where_, name, names_.size());
  return found->second;
}

StoredTensor GgufCheckpoint::stored_as(const std::string& own) const {
  const GgufTensorInfo& info = file_.info(own);
  return {info.name, info.type->name, info.sizes, file_.raw_bytes(own)};
}

std::vector<StoredTensor> GgufCheckpoint::all_stored() const {
  std::vector<StoredTensor> all;
  for (const GgufTensorInfo& info : file_.tensors()) all.push_back(stored_as(info.name));
  return all;
}

int64_t GgufCheckpoint::interleaved_heads(const std::string& own, int64_t rows) const {
  const bool query = own.find(".attn_q.") != own.npos, key = own.find(".attn_k.") != own.npos;
  if (heads_ == 0 || (!query && !key)) return 0;
  const int64_t heads = query ? heads_ : kv_heads_;
  require(rows > 0 && rows % (2 * heads) == 0, ErrorKind::kInput,
          "{}: tensor \"{}\" has {} rows; expected {} heads of one even size", where_, own, rows,
          heads);
  return heads;
}

Tensor GgufCheckpoint::tensor(std::string_view name) const {
  const std::string& own = own_name(name);
  Tensor tensor = file_.tensor(own);
  if (tensor.shape().rank() == 0) return tensor;
  const int64_t heads = interleaved_heads(own, tensor.dim(0));
  if (heads > 0) return uninterleave_rows(tensor, heads);
  if (model_type_.starts_with("gemma") && own.ends_with("norm.weight")) return minus_one(tensor);
  const bool turned =
      model_type_ == "gpt2" && own.starts_with("blk.") && tensor.shape().rank() == 2;
  return turned ? transposed(tensor) : tensor;
}

std::optional<QuantisedMatrix> GgufCheckpoint::quantised(std::string_view name) const {
  const std::string& own = own_name(name);
  if (file_.info(own).type->dtype.has_value()) return std::nullopt;
  const QuantisedMatrix matrix = file_.quantised(own);
  const int64_t heads = interleaved_heads(own, matrix.rows());
  return heads > 0 ? uninterleaved(matrix, heads) : matrix;
}

}  // namespace

bool is_gguf_file(const fs::path& model) {
  return model.extension() == ".gguf" && !fs::is_directory(model);
}

std::shared_ptr<const CheckpointFiles> open_gguf_checkpoint(const fs::path& path) {
  return std::make_shared<const GgufCheckpoint>(path);
}

ModelConfig read_model_config(const fs::path& model) {
  if (is_gguf_file(model)) return read_gguf_config(GgufFile::open(model));
  return ModelConfig::read(model / "config.json");
}

}  // namespace inlay
