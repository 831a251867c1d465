#include "formats/gguf_header.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF data is used in place");

constexpr uint64_t kMaxString = uint64_t{1} << 30;
constexpr uint64_t kMaxArray = uint64_t{1} << 30;
// The fewest bytes that an entry (empty key, type, bool), a tensor (empty name, rank, type, offset)
// and a string take.
constexpr uint64_t kEntryBytes = 8 + 4 + 1;
constexpr uint64_t kTensorBytes = 8 + 4 + 4 + 8;
constexpr uint64_t kStringBytes = 8;

std::string printable(std::string_view name) { return std::string(name.substr(0, 200)); }

// Reads forward through the file. `subject` says in messages what is being read.
class Cursor {
 public:
  Cursor(std::span<const std::byte> file, std::string_view where) : file_(file), where_(where) {}

  void set_subject(std::string subject) { subject_ = std::move(subject); }
  const std::string& subject() const { return subject_; }
  std::string_view where() const { return where_; }
  uint64_t at() const { return at_; }
  uint64_t left() const { return file_.size() - at_; }

  std::string_view bytes(uint64_t count, std::string_view what) {
    require(count <= left(), ErrorKind::kInput,
            "{}: {} of {} takes {} bytes, but only {} are left; the file is cut short or the "
            "length is wrong",
            where_, what, subject_, count, left());
    std::string_view taken(reinterpret_cast<const char*>(file_.data()) + at_, count);
    at_ += count;
    return taken;
  }

  // What was read from byte `begin` on.
  std::string_view since(uint64_t begin) const {
    return {reinterpret_cast<const char*>(file_.data()) + begin, at_ - begin};
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, bytes(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  std::string_view string(std::string_view what) {
    const auto length = number<uint64_t>(what);
    require(length <= kMaxString, ErrorKind::kInput,
            "{}: {} of {} claims {} bytes, more than the limit of {}", where_, what, subject_,
            length, kMaxString);
    std::string_view text = bytes(length, what);
    const std::size_t invalid = find_invalid_utf8(text);
    if (invalid != text.npos) {
      fail(ErrorKind::kInput, "{}: {} of {} is not valid UTF-8: byte {:#04x} at {}", where_, what,
           subject_, static_cast<unsigned>(static_cast<uint8_t>(text[invalid])), invalid);
    }
    return text;
  }

  // A count of things that take at least `least` bytes each.
  uint64_t count(std::string_view what, uint64_t least) {
    const auto claimed = number<uint64_t>(what);
    require(claimed <= left() / least, ErrorKind::kInput,
            "{}: {} of {} is {}, but the {} bytes that are left hold at most {}", where_, what,
            subject_, claimed, left(), left() / least);
    return claimed;
  }

 private:
  std::span<const std::byte> file_;
  std::string_view where_;
  std::string subject_ = "the header";
  uint64_t at_ = 0;
};

uint32_t read_version(Cursor& cursor) {
  const std::string_view magic = cursor.bytes(4, "the magic");
  require(magic == "GGUF", ErrorKind::kInput,
          "{}: the file does not begin with \"GGUF\"; this is not a GGUF file", cursor.where());
  const auto version = cursor.number<uint32_t>("the version");
  require((version & 0xffffu) != 0 || version == 0, ErrorKind::kInput,
          "{}: a big-endian GGUF file (version {:#010x}); convert it to little-endian",
          cursor.where(), version);
  require(version == 2 || version == 3, ErrorKind::kInput,
          "{}: GGUF version {}; versions 2 and 3 are supported", cursor.where(), version);
  return version;
}

GgufValueType read_value_type(Cursor& cursor, std::string_view what) {
  const auto type = cursor.number<uint32_t>(what);
  require(type < kGgufValueTypes, ErrorKind::kInput, "{}: {} of {} is {}; expected 0 to {}",
          cursor.where(), what, cursor.subject(), type, kGgufValueTypes - 1);
  return static_cast<GgufValueType>(type);
}

// `count` values of one type, as they lie in the file.
std::string read_payload(Cursor& cursor, GgufValueType type, uint64_t count) {
  const uint64_t begin = cursor.at();
  if (type == GgufValueType::kString) {
    for (uint64_t i = 0; i < count; ++i) cursor.string("a string");
    return std::string(cursor.since(begin));
  }
  std::string payload(cursor.bytes(count * gguf_value_type_size(type), "the value"));
  if (type == GgufValueType::kBool) {
    const std::size_t bad = payload.find_first_not_of(std::string_view("\0\1", 2));
    if (bad != payload.npos) {
      fail(ErrorKind::kInput, "{}: {} has a bool of {} at byte {}; expected 0 or 1", cursor.where(),
           cursor.subject(), static_cast<int>(static_cast<uint8_t>(payload[bad])), begin + bad);
    }
  }
  return payload;
}

GgufValue read_array(Cursor& cursor) {
  const GgufValueType element = read_value_type(cursor, "the element type");
  require(element != GgufValueType::kArray, ErrorKind::kInput,
          "{}: {} is an array of arrays, which is not supported", cursor.where(), cursor.subject());
  const std::size_t size = gguf_value_type_size(element);
  const uint64_t count = cursor.count("the array length", size == 0 ? kStringBytes : size);
  require(count <= kMaxArray, ErrorKind::kInput,
          "{}: {} is an array of {} values, more than the limit of {}", cursor.where(),
          cursor.subject(), count, kMaxArray);
  return GgufValue::array(element, count, read_payload(cursor, element, count));
}

void read_entry(Cursor& cursor, uint64_t number, GgufMetadata& metadata) {
  cursor.set_subject(fmt::format("metadata entry {}", number));
  const std::string_view key = cursor.string("the key");
  require(!key.empty() && key.size() <= kMaxGgufKey, ErrorKind::kInput,
          "{}: the key of {} has {} bytes; expected 1 to {}", cursor.where(), cursor.subject(),
          key.size(), kMaxGgufKey);
  cursor.set_subject(fmt::format("metadata key \"{}\"", printable(key)));
  require(!metadata.contains(key), ErrorKind::kInput, "{}: {} appears twice", cursor.where(),
          cursor.subject());
  const GgufValueType type = read_value_type(cursor, "the type");
  metadata.set(key, type == GgufValueType::kArray
                        ? read_array(cursor)
                        : GgufValue::scalar(type, read_payload(cursor, type, 1)));
}

std::vector<int64_t> read_sizes(Cursor& cursor) {
  const auto rank = cursor.number<uint32_t>("the rank");
  require(rank <= kMaxGgufRank, ErrorKind::kInput,
          "{}: {} has {} dimensions; at most {} are allowed", cursor.where(), cursor.subject(),
          rank, kMaxGgufRank);
  std::vector<int64_t> sizes(rank);
  int64_t product = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const auto size = cursor.number<int64_t>("the shape");
    require(size >= 0, ErrorKind::kInput, "{}: {} has a size of {}; expected 0 or more",
            cursor.where(), cursor.subject(), size);
    require(!__builtin_mul_overflow(product, size, &product), ErrorKind::kInput,
            "{}: the sizes of {} multiply to more than 2^63", cursor.where(), cursor.subject());
    sizes[rank - 1 - i] = size;
  }
  return sizes;
}

const GgufType& read_type(Cursor& cursor) {
  const auto id = cursor.number<uint32_t>("the type");
  const GgufType* type = find_gguf_type(id);
  require(type != nullptr, ErrorKind::kInput, "{}: {} has the unknown type {}", cursor.where(),
          cursor.subject(), id);
  return *type;
}

uint64_t data_bytes(const Cursor& cursor, const GgufTensorInfo& info) {
  uint64_t elements = 1;
  for (int64_t size : info.sizes) elements *= static_cast<uint64_t>(size);
  const int64_t row = info.sizes.empty() ? 1 : info.sizes.back();
  require(row % info.type->block_length == 0, ErrorKind::kInput,
          "{}: {} has rows of {}, which blocks of {} ({}) do not divide", cursor.where(),
          cursor.subject(), row, info.type->block_length, info.type->name);
  uint64_t bytes = elements / static_cast<uint64_t>(info.type->block_length);
  require(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(info.type->block_bytes), &bytes) &&
              bytes <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()),
          ErrorKind::kInput, "{}: {} needs more than 2^63 bytes", cursor.where(), cursor.subject());
  return bytes;
}

GgufTensorInfo read_tensor(Cursor& cursor, uint64_t number) {
  cursor.set_subject(fmt::format("tensor {}", number));
  const std::string_view name = cursor.string("the name");
  cursor.set_subject(fmt::format("tensor \"{}\"", printable(name)));
  require(name.size() <= kMaxGgufName, ErrorKind::kInput,
          "{}: the name of {} has {} bytes; at most {} are allowed", cursor.where(),
          cursor.subject(), name.size(), kMaxGgufName);
  GgufTensorInfo info;
  info.name = std::string(name);
  info.sizes = read_sizes(cursor);
  info.type = &read_type(cursor);
  info.begin = cursor.number<uint64_t>("the offset");
  info.end = data_bytes(cursor, info);  // its size, until the offset is known to be right
  return info;
}

// The multiple of a power of two at or above `bytes`. REQUIRES: bytes below 2^63.
uint64_t padded(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

// Gives every tensor its range: each begins where the one before, padded, ended.
void place_tensors(GgufHeader& header, uint64_t data_size, std::string_view where) {
  const uint64_t alignment = header.metadata.alignment();
  uint64_t at = 0;
  for (GgufTensorInfo& info : header.tensors) {
    require(info.begin == at, ErrorKind::kInput,
            "{}: tensor \"{}\" begins at byte {} of the data; expected {}, where the one before "
            "ends ({})",
            where, info.name, info.begin, at, info.begin < at ? "they overlap" : "there is a hole");
    require(info.end <= data_size && at <= data_size - info.end, ErrorKind::kInput,
            "{}: tensor \"{}\" needs {} bytes at {} of the data, the file has {}; it is cut short",
            where, info.name, info.end, at, data_size);
    info.end += at;
    at = padded(info.end, alignment);
  }
  require(data_size <= at, ErrorKind::kInput,
          "{}: the tensors need {} bytes of data, the file has {} (something follows them)", where,
          at, data_size);
}

void read_tensors(Cursor& cursor, uint64_t count, GgufHeader& header) {
  std::set<std::string> names;
  header.tensors.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    header.tensors.push_back(read_tensor(cursor, i));
    require(names.insert(header.tensors.back().name).second, ErrorKind::kInput,
            "{}: {} appears twice", cursor.where(), cursor.subject());
  }
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) -> uint32_t {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u;
  };
  for (std::size_t at = 0; at < text.size();) {
    const uint32_t lead = byte(at);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0) return at;
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(at + i) & 0xc0u) != 0x80) return at;
    }
    const uint32_t second = byte(at + 1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
    if (overlong || outside) return at;
    at += length;
  }
  return std::string_view::npos;
}

GgufHeader parse_gguf_header(std::span<const std::byte> file, std::string_view where) {
  Cursor cursor(file, where);
  GgufHeader header;
  header.metadata = GgufMetadata(std::string(where));
  header.version = read_version(cursor);
  const uint64_t tensors = cursor.count("the number of tensors", kTensorBytes);
  const uint64_t entries = cursor.count("the number of metadata entries", kEntryBytes);
  for (uint64_t i = 0; i < entries; ++i) read_entry(cursor, i, header.metadata);
  read_tensors(cursor, tensors, header);
  // A file without tensors may end at its header.
  header.data_begin =
      std::min<uint64_t>(padded(cursor.at(), header.metadata.alignment()), file.size());
  place_tensors(header, file.size() - header.data_begin, where);
  return header;
}

}  // namespace inlay
