#include "formats/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace inlay {

// Either a mapped file or bytes in memory; `file` spans whichever it is.
struct SafetensorsFile::Contents {
  std::unique_ptr<const MappedFile> map;
  std::string memory;
  std::string where;
  std::span<const std::byte> file;
  SafetensorsHeader header;
  std::map<std::string, std::size_t, std::less<>> index;

  void read() {
    header = parse_safetensors_header(file, where);
    for (std::size_t i = 0; i < header.entries.size(); ++i)
      index.emplace(header.entries[i].name, i);
  }
};

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  auto contents = std::make_shared<Contents>();
  contents->map = std::make_unique<const MappedFile>(path);
  contents->where = path.string();
  contents->file = contents->map->bytes();
  contents->read();
  return SafetensorsFile(std::move(contents));
}

SafetensorsFile SafetensorsFile::parse(std::string bytes, std::string where) {
  auto contents = std::make_shared<Contents>();
  contents->memory = std::move(bytes);
  contents->where = std::move(where);
  contents->file = std::as_bytes(std::span(contents->memory));
  contents->read();
  return SafetensorsFile(std::move(contents));
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : entries()) names.push_back(entry.name);
  return names;
}

const std::vector<SafetensorsEntry>& SafetensorsFile::entries() const {
  return contents_->header.entries;
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
  return contents_->header.metadata;
}

bool SafetensorsFile::contains(std::string_view name) const {
  return contents_->index.count(name) > 0;
}

const SafetensorsEntry& SafetensorsFile::entry(std::string_view name) const {
  auto found = contents_->index.find(name);
  require(found != contents_->index.end(), ErrorKind::kInput,
          "{}: there is no tensor \"{}\" among its {}", contents_->where, name, entries().size());
  return contents_->header.entries[found->second];
}

std::span<const std::byte> SafetensorsFile::raw_bytes(std::string_view name) const {
  const SafetensorsEntry& found = entry(name);
  return contents_->file.subspan(contents_->header.data_begin + found.begin,
                                 found.end - found.begin);
}

Tensor SafetensorsFile::tensor(std::string_view name) const {
  const SafetensorsEntry& found = entry(name);
  require(found.dtype.has_value(), ErrorKind::kInput,
          "{}: tensor \"{}\" is {}, a dtype that Inlay cannot compute with", contents_->where, name,
          found.dtype_name);
  require(found.sizes.size() <= Shape::kMaxRank, ErrorKind::kInput,
          "{}: tensor \"{}\" has {} dimensions; at most {} are supported", contents_->where, name,
          found.sizes.size(), Shape::kMaxRank);
  Shape shape{std::span<const int64_t>(found.sizes)};
  std::span<const std::byte> bytes = raw_bytes(name);
  if (*found.dtype == DType::kBool) {
    auto bad =
        std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; });
    require(bad == bytes.end(), ErrorKind::kInput,
            "{}: BOOL tensor \"{}\" has a byte {} at {}; expected 0 or 1", contents_->where, name,
            static_cast<int>(*bad), bad - bytes.begin());
  }
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % dtype_size(*found.dtype) == 0) {
    return Tensor::borrow(shape, *found.dtype, bytes, contents_);
  }
  Tensor copy = Tensor::empty(shape, *found.dtype);
  if (!bytes.empty()) std::memcpy(copy.mutable_raw(), bytes.data(), bytes.size());
  return copy;
}

void SafetensorsFile::drop_pages(std::span<const std::byte> part) const {
  if (contents_->map != nullptr) contents_->map->drop_pages(part);
}

namespace {

// DType lists its values by increasing alignment, as the format does.
static_assert(DType::kBool < DType::kU8 && DType::kU8 < DType::kI16 && DType::kU16 < DType::kF16 &&
              DType::kBF16 < DType::kI32 && DType::kU32 < DType::kF32 &&
              DType::kF32 < DType::kF64 && DType::kF64 < DType::kI64 && DType::kI64 < DType::kU64);

std::vector<const NamedTensor*> written_order(std::span<const NamedTensor> tensors,
                                              const std::string& where) {
  std::vector<const NamedTensor*> order;
  std::set<std::string_view> names;
  for (const NamedTensor& named : tensors) {
    ensure(named.tensor.defined(), "{}: tensor \"{}\" has no storage", where, named.name);
    ensure(named.name != "__metadata__" && names.insert(named.name).second,
           "{}: the tensor name \"{}\" is reserved or given twice", where, named.name);
    order.push_back(&named);
  }
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return a->tensor.dtype() != b->tensor.dtype() ? a->tensor.dtype() > b->tensor.dtype()
                                                  : a->name < b->name;
  });
  return order;
}

std::string quoted(const std::string& text) {
  try {
    return canonical_json(Json(text));
  } catch (const Json::exception&) {
    fail(ErrorKind::kInput, "the name \"{}\" is not valid UTF-8; safetensors files need that",
         text);
  }
}

std::string header_text(const std::vector<const NamedTensor*>& order,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + canonical_json(Json(metadata));
  std::size_t at = 0;
  for (const NamedTensor* named : order) {
    auto sizes = named->tensor.shape().sizes();
    std::size_t end = at + named->tensor.byte_count();
    text += fmt::format(
        "{}{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}",
        text.size() > 1 ? "," : "", quoted(named->name), dtype_name(named->tensor.dtype()),
        canonical_json(Json(std::vector<int64_t>(sizes.begin(), sizes.end()))), at, end);
    at = end;
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const NamedTensor*> order = written_order(tensors, path.string());
  std::string header = header_text(order, metadata);
  uint64_t length = header.size();
  write_file_atomically(path, [&](int fd) {
    write_all(fd, std::as_bytes(std::span(&length, 1)), path.string());
    write_all(fd, std::as_bytes(std::span(header)), path.string());
    for (const NamedTensor* named : order) write_all(fd, named->tensor.bytes(), path.string());
  });
}

}  // namespace inlay
