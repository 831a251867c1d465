#include "formats/stored_zip.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace inlay {
namespace {

constexpr uint32_t kLocalMagic = 0x04034b50;
constexpr uint32_t kCentralMagic = 0x02014b50;
constexpr uint32_t kEndMagic = 0x06054b50;
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr std::size_t kAlignment = 64;
constexpr uint16_t kPaddingField = 0x4246;  // an extra field that readers skip
constexpr uint16_t kUtf8Names = 1u << 11;

// The little-endian number of type T at `at`. REQUIRES: it lies within `bytes`.
template <class T>
T number(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.subspan(at, sizeof value).data(), sizeof value);
  return value;
}

// The end record is the last thing in the file but for a comment whose length it gives.
std::size_t find_end_record(std::span<const std::byte> file, std::string_view where) {
  require(file.size() >= kEndBytes, ErrorKind::kInput, "{}: {} bytes, too small for a zip archive",
          where, file.size());
  std::size_t last = file.size() - kEndBytes;
  for (std::size_t comment = 0; comment <= std::min<std::size_t>(last, 0xffff); ++comment) {
    std::size_t at = last - comment;
    if (number<uint32_t>(file, at) == kEndMagic && number<uint16_t>(file, at + 20) == comment)
      return at;
  }
  fail(ErrorKind::kInput,
       "{}: not a zip archive: no end record; a state dict written by torch.save since 1.6 is one",
       where);
}

// Where the bytes of a member begin: behind its local header, whose name and extra field may differ
// in length.
std::span<const std::byte> member_bytes(std::span<const std::byte> file, std::size_t at,
                                        std::size_t size, const std::string& where) {
  bool fits = at <= file.size() && file.size() - at >= kLocalBytes &&
              number<uint32_t>(file, at) == kLocalMagic;
  require(fits, ErrorKind::kInput, "{}: there is no local header at byte {}", where, at);
  std::size_t begin =
      at + kLocalBytes + number<uint16_t>(file, at + 26) + number<uint16_t>(file, at + 28);
  require(begin <= file.size() && size <= file.size() - begin, ErrorKind::kInput,
          "{}: {} bytes from byte {} on pass the end of the file", where, size, begin);
  return file.subspan(begin, size);
}

template <class T>
void put(std::string& text, T value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) != 0 ? 0xedb88320u : 0u);
    table[i] = value;
  }
  return table;
}

// What the local and the central header have in common: from the version needed to the length of
// the extra field.
std::string shared_fields(const ZipPart& part, uint32_t crc, uint16_t extra) {
  std::string text;
  put<uint16_t>(text, 0);  // version
  put<uint16_t>(text, kUtf8Names);
  put<uint16_t>(text, 0);  // stored
  put<uint32_t>(text, 0);  // no time
  put<uint32_t>(text, crc);
  put<uint32_t>(text, static_cast<uint32_t>(part.bytes.size()));
  put<uint32_t>(text, static_cast<uint32_t>(part.bytes.size()));
  put<uint16_t>(text, static_cast<uint16_t>(part.name.size()));
  put<uint16_t>(text, extra);
  return text;
}

// A local header whose padding makes the bytes that follow begin at a multiple of kAlignment.
std::string local_header(const ZipPart& part, uint32_t crc, uint64_t at) {
  uint64_t bare = at + kLocalBytes + part.name.size() + 4;
  auto padding = static_cast<uint16_t>((kAlignment - bare % kAlignment) % kAlignment);
  std::string text;
  put<uint32_t>(text, kLocalMagic);
  text += shared_fields(part, crc, static_cast<uint16_t>(padding + 4));
  text += part.name;
  put<uint16_t>(text, kPaddingField);
  put<uint16_t>(text, padding);
  text.append(padding, '\0');
  return text;
}

std::string central_header(const ZipPart& part, uint32_t crc, uint64_t at) {
  std::string text;
  put<uint32_t>(text, kCentralMagic);
  put<uint16_t>(text, 0);
  text += shared_fields(part, crc, 0);
  text.append(10, '\0');  // comment, disk, attributes
  put<uint32_t>(text, static_cast<uint32_t>(at));
  return text + part.name;
}

}  // namespace

std::map<std::string, ZipMember, std::less<>> read_stored_zip(std::span<const std::byte> file,
                                                              std::string_view where) {
  std::size_t end = find_end_record(file, where);
  std::size_t count = number<uint16_t>(file, end + 10);
  std::size_t size = number<uint32_t>(file, end + 12), at = number<uint32_t>(file, end + 16);
  require(at <= end && size <= end - at, ErrorKind::kInput,
          "{}: the zip directory of {} bytes at {} does not fit (archives over 4 GiB are not "
          "supported)",
          where, size, at);
  std::span<const std::byte> directory = file.subspan(at, size);
  std::map<std::string, ZipMember, std::less<>> members;
  for (std::size_t i = 0; i < count; ++i) {
    bool fits =
        directory.size() >= kCentralBytes && number<uint32_t>(directory, 0) == kCentralMagic;
    require(fits, ErrorKind::kInput, "{}: the zip directory ends after {} of {} members", where, i,
            count);
    std::size_t name_size = number<uint16_t>(directory, 28);
    std::size_t whole = kCentralBytes + name_size + number<uint16_t>(directory, 30) +
                        number<uint16_t>(directory, 32);
    require(whole <= directory.size(), ErrorKind::kInput, "{}: the zip directory is cut short",
            where);
    std::string name(reinterpret_cast<const char*>(directory.data()) + kCentralBytes, name_size);
    std::string place = fmt::format("{}: member \"{}\"", where, name.substr(0, 200));
    uint32_t packed = number<uint32_t>(directory, 20), plain = number<uint32_t>(directory, 24);
    require(number<uint16_t>(directory, 10) == 0 && packed == plain &&
                (number<uint16_t>(directory, 8) & 1u) == 0,
            ErrorKind::kInput, "{}: is compressed or encrypted; torch.save stores plain bytes",
            place);
    ZipMember member{member_bytes(file, number<uint32_t>(directory, 42), plain, place),
                     number<uint32_t>(directory, 16)};
    require(members.emplace(std::move(name), member).second, ErrorKind::kInput,
            "{}: is there twice", place);
    directory = directory.subspan(whole);
  }
  return members;
}

void write_stored_zip(std::span<const ZipPart> parts,
                      const std::function<void(std::span<const std::byte>)>& write) {
  require(parts.size() < 0xffff, ErrorKind::kInput, "{} members are too many for a zip archive",
          parts.size());
  std::string directory;
  uint64_t at = 0;
  for (const ZipPart& part : parts) {
    uint32_t crc = crc32(part.bytes);
    directory += central_header(part, crc, at);
    std::string header = local_header(part, crc, at);
    at += header.size() + part.bytes.size();
    require(at + directory.size() < 0xffffffff, ErrorKind::kInput,
            "more than 4 GiB do not fit into this zip format");
    write(std::as_bytes(std::span(header)));
    write(part.bytes);
  }
  std::string tail = directory;
  put<uint32_t>(tail, kEndMagic);
  put<uint32_t>(tail, 0);  // disks
  put<uint16_t>(tail, static_cast<uint16_t>(parts.size()));
  put<uint16_t>(tail, static_cast<uint16_t>(parts.size()));
  put<uint32_t>(tail, static_cast<uint32_t>(directory.size()));
  put<uint32_t>(tail, static_cast<uint32_t>(at));
  put<uint16_t>(tail, 0);  // comment
  write(std::as_bytes(std::span(tail)));
}

uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr std::array<uint32_t, 256> kTable = crc_table();
  uint32_t crc = ~0u;
  for (std::byte byte : bytes)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint32_t>(byte)) & 0xffu];
  return ~crc;
}

}  // namespace inlay
