#include <set>

#include "base/error.h"
#include "base/files.h"
#include "formats/gguf.h"

namespace inlay {
namespace {

template <class T>
void append_bytes(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void check_text(std::string_view text, std::string_view what) {
  const std::size_t invalid = find_invalid_utf8(text);
  require(invalid == text.npos, ErrorKind::kUsage,
          "{} of {} bytes is not UTF-8 from byte {} on; GGUF files need that", what, text.size(),
          invalid);
}

void append_string(std::string& out, std::string_view text, std::string_view what) {
  check_text(text, what);
  append_bytes(out, static_cast<uint64_t>(text.size()));
  out += text;
}

// What the format stores of a tensor.
struct Stored {
  const std::string* name;
  const GgufType* type;
  std::vector<int64_t> sizes;  // outermost first
  std::span<const std::byte> bytes;
};

Stored stored(const NamedGgufTensor& named) {
  if (const auto* matrix = std::get_if<QuantisedMatrix>(&named.value)) {
    const GgufType* type = find_gguf_type(matrix->format());
    require(type != nullptr, ErrorKind::kUsage,
            "tensor \"{}\" is {}, which GGUF files cannot hold; use Q8_0 or Q4_0", named.name,
            matrix->format_name());
    return {&named.name, type, {matrix->rows(), matrix->columns()}, matrix->bytes()};
  }
  const Tensor& tensor = std::get<Tensor>(named.value);
  ensure(tensor.defined(), "tensor \"{}\" has no storage", named.name);
  const GgufType* type = find_gguf_type(tensor.dtype());
  require(type != nullptr, ErrorKind::kUsage,
          "tensor \"{}\" is {}, which GGUF files cannot hold; convert it first", named.name,
          dtype_name(tensor.dtype()));
  const auto sizes = tensor.shape().sizes();
  require(sizes.size() <= kMaxGgufRank, ErrorKind::kUsage,
          "tensor \"{}\" has {} dimensions; GGUF files hold at most {}", named.name, sizes.size(),
          kMaxGgufRank);
  return {&named.name, type, {sizes.begin(), sizes.end()}, tensor.bytes()};
}

std::vector<Stored> all_stored(std::span<const NamedGgufTensor> tensors) {
  std::vector<Stored> all;
  std::set<std::string_view> names;
  all.reserve(tensors.size());
  for (const NamedGgufTensor& named : tensors) {
    require(named.name.size() <= kMaxGgufName, ErrorKind::kUsage,
            "the tensor name \"{}\" has {} bytes; GGUF files hold at most {}", named.name,
            named.name.size(), kMaxGgufName);
    ensure(names.insert(named.name).second, "the tensor name \"{}\" is given twice", named.name);
    all.push_back(stored(named));
  }
  return all;
}

void append_entry(std::string& out, const GgufMetadataEntry& entry) {
  const GgufValue& value = entry.value;
  require(!entry.key.empty() && entry.key.size() <= kMaxGgufKey, ErrorKind::kUsage,
          "a metadata key has {} bytes; expected 1 to {}", entry.key.size(), kMaxGgufKey);
  append_string(out, entry.key, "a metadata key");
  if (auto text = value.as<std::string>()) check_text(*text, "a metadata string");
  if (auto texts = value.as<std::vector<std::string>>()) {
    for (const std::string& text : *texts) check_text(text, "a metadata string");
  }
  append_bytes(out, value.type());
  if (value.type() == GgufValueType::kArray) {
    append_bytes(out, value.element_type());
    append_bytes(out, value.count());
  }
  out += value.payload();
}

uint64_t padding(uint64_t bytes, uint64_t alignment) { return (0 - bytes) & (alignment - 1); }

std::string header_bytes(const GgufMetadata& metadata, const std::vector<Stored>& tensors) {
  const uint64_t alignment = metadata.alignment();
  std::string out = "GGUF";
  append_bytes(out, uint32_t{3});
  append_bytes(out, static_cast<uint64_t>(tensors.size()));
  append_bytes(out, static_cast<uint64_t>(metadata.entries().size()));
  for (const GgufMetadataEntry& entry : metadata.entries()) append_entry(out, entry);
  uint64_t at = 0;
  for (const Stored& tensor : tensors) {
    append_string(out, *tensor.name, "a tensor name");
    append_bytes(out, static_cast<uint32_t>(tensor.sizes.size()));
    for (auto size = tensor.sizes.rbegin(); size != tensor.sizes.rend(); ++size)
      append_bytes(out, *size);
    append_bytes(out, tensor.type->id);
    append_bytes(out, at);
    at += tensor.bytes.size() + padding(tensor.bytes.size(), alignment);
  }
  out.append(padding(out.size(), alignment), '\0');
  return out;
}

}  // namespace

void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                std::span<const NamedGgufTensor> tensors) {
  const std::vector<Stored> all = all_stored(tensors);
  const std::string header = header_bytes(metadata, all);
  const std::string zeros(metadata.alignment(), '\0');
  write_file_atomically(path, [&](int fd) {
    write_all(fd, std::as_bytes(std::span(header)), path.string());
    for (const Stored& tensor : all) {
      write_all(fd, tensor.bytes, path.string());
      const uint64_t pad = padding(tensor.bytes.size(), zeros.size());
      write_all(fd, std::as_bytes(std::span(zeros).first(pad)), path.string());
    }
  });
}

}  // namespace inlay
