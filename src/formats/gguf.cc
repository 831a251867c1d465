#include "formats/gguf.h"

#include <cstring>
#include <map>

#include "base/error.h"
#include "base/files.h"

namespace inlay {

// Either a mapped file or bytes in memory; `file` spans whichever it is.
struct GgufFile::Contents {
  std::unique_ptr<const MappedFile> map;
  std::string memory;
  std::string where;
  std::span<const std::byte> file;
  GgufHeader header;
  std::map<std::string_view, std::size_t> index;

  void read() {
    header = parse_gguf_header(file, where);
    for (std::size_t i = 0; i < header.tensors.size(); ++i)
      index.emplace(header.tensors[i].name, i);
  }
};

GgufFile GgufFile::open(const std::filesystem::path& path) {
  auto contents = std::make_shared<Contents>();
  contents->map = std::make_unique<const MappedFile>(path);
  contents->where = path.string();
  contents->file = contents->map->bytes();
  contents->read();
  return GgufFile(std::move(contents));
}

GgufFile GgufFile::parse(std::string bytes, std::string where) {
  auto contents = std::make_shared<Contents>();
  contents->memory = std::move(bytes);
  contents->where = std::move(where);
  contents->file = std::as_bytes(std::span(contents->memory));
  contents->read();
  return GgufFile(std::move(contents));
}

const GgufMetadata& GgufFile::metadata() const { return contents_->header.metadata; }

const std::vector<GgufTensorInfo>& GgufFile::tensors() const { return contents_->header.tensors; }

bool GgufFile::contains(std::string_view name) const { return contents_->index.count(name) > 0; }

const GgufTensorInfo& GgufFile::info(std::string_view name) const {
  auto found = contents_->index.find(name);
  require(found != contents_->index.end(), ErrorKind::kInput,
          "{}: there is no tensor \"{}\" among its {}", contents_->where, name, tensors().size());
  return tensors()[found->second];
}

std::span<const std::byte> GgufFile::raw_bytes(std::string_view name) const {
  const GgufTensorInfo& found = info(name);
  return contents_->file.subspan(contents_->header.data_begin + found.begin,
                                 found.end - found.begin);
}

Tensor GgufFile::tensor(std::string_view name) const {
  const GgufTensorInfo& found = info(name);
  require(found.type->dtype.has_value(), ErrorKind::kInput,
          "{}: tensor \"{}\" is {}, a type of blocks, where single elements are expected",
          contents_->where, name, found.type->name);
  const Shape shape{std::span<const int64_t>(found.sizes)};
  const DType dtype = *found.type->dtype;
  const std::span<const std::byte> bytes = raw_bytes(name);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % dtype_size(dtype) == 0) {
    return Tensor::borrow(shape, dtype, bytes, contents_);
  }
  Tensor copy = Tensor::empty(shape, dtype);
  if (!bytes.empty()) std::memcpy(copy.mutable_raw(), bytes.data(), bytes.size());
  return copy;
}

QuantisedMatrix GgufFile::quantised(std::string_view name) const {
  const GgufTensorInfo& found = info(name);
  require(found.type->format.has_value(), ErrorKind::kInput,
          "{}: tensor \"{}\" is {}; expected Q4_0, Q5_0, Q8_0, Q4_K, Q5_K or Q6_K",
          contents_->where, name, found.type->name);
  require(!found.sizes.empty(), ErrorKind::kInput,
          "{}: tensor \"{}\" has no dimension; expected a matrix", contents_->where, name);
  const Shape shape{std::span<const int64_t>(found.sizes)};
  const int64_t columns = shape[-1];
  const int64_t rows = columns == 0 ? 0 : shape.count() / columns;
  return QuantisedMatrix::borrow(*found.type->format, {rows, columns}, raw_bytes(name), contents_);
}

void GgufFile::drop_pages(std::span<const std::byte> part) const {
  if (contents_->map != nullptr) contents_->map->drop_pages(part);
}

}  // namespace inlay
