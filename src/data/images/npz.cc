#include "data/images/npz.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "data/encoding.h"

namespace inlay {
namespace {

// PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16: magic numbers and fixed lengths.
constexpr uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50;
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr std::string_view kExtension = ".npy";

// The little-endian number of type T at `at`. REQUIRES: it lies within `bytes`.
template <class T>
T number(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.subspan(at, sizeof value).data(), sizeof value);
  return value;
}

// The end record is the last thing in the file but for a comment whose length it gives.
std::size_t end_record(std::span<const std::byte> file, const std::string& where) {
  std::size_t last = file.size() < kEndBytes ? 0 : file.size() - kEndBytes;
  std::size_t tries = file.size() < kEndBytes ? 0 : std::min<std::size_t>(last, 0xffff) + 1;
  for (std::size_t comment = 0; comment < tries; ++comment) {
    std::size_t at = last - comment;
    if (number<uint32_t>(file, at) == kEndMagic && number<uint16_t>(file, at + 20) == comment)
      return at;
  }
  fail(ErrorKind::kInput, "{}: not an .npz file: it has no zip directory", where);
}

}  // namespace

NpzFile NpzFile::open(const std::filesystem::path& path) {
  auto mapped = std::make_shared<const MappedFile>(path);
  auto bytes = mapped->bytes();
  return {bytes, std::move(mapped), path.string()};
}

NpzFile NpzFile::parse(std::string bytes, std::string where) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  auto span = std::as_bytes(std::span(owner->data(), owner->size()));
  return {span, std::move(owner), std::move(where)};
}

NpzFile::NpzFile(std::span<const std::byte> file, std::shared_ptr<const void> owner,
                 std::string where)
    : file_(file), owner_(std::move(owner)), where_(std::move(where)) {
  std::size_t end = end_record(file_, where_);
  std::size_t count = number<uint16_t>(file_, end + 10);
  std::size_t size = number<uint32_t>(file_, end + 12), at = number<uint32_t>(file_, end + 16);
  require(at <= end && size <= end - at, ErrorKind::kInput,
          "{}: the zip directory of {} bytes at {} does not fit (archives over 4 GiB are not "
          "supported)",
          where_, size, at);
  std::span<const std::byte> directory = file_.subspan(at, size);
  for (std::size_t i = 0; i < count; ++i) directory = directory.subspan(add(directory));
}

std::size_t NpzFile::add(std::span<const std::byte> directory) {
  bool fits = directory.size() >= kCentralBytes && number<uint32_t>(directory, 0) == kCentralMagic;
  require(fits, ErrorKind::kInput, "{}: the zip directory is cut short or damaged", where_);
  std::size_t name_size = number<uint16_t>(directory, 28);
  std::size_t whole =
      kCentralBytes + name_size + number<uint16_t>(directory, 30) + number<uint16_t>(directory, 32);
  require(whole <= directory.size(), ErrorKind::kInput, "{}: the zip directory is cut short",
          where_);
  std::string name(reinterpret_cast<const char*>(directory.data()) + kCentralBytes, name_size);
  if (!name.ends_with(kExtension)) return whole;
  std::string place = fmt::format("{}: member {}", where_, excerpt(name));
  auto method = number<uint16_t>(directory, 10);
  bool encrypted = (number<uint16_t>(directory, 8) & 1u) != 0;
  require((method == kStored || method == kDeflated) && !encrypted, ErrorKind::kInput,
          "{}: is {}; expected a member that is stored or deflated", place,
          encrypted ? "encrypted" : fmt::format("packed by method {}", method));
  Member member{
      member_bytes(number<uint32_t>(directory, 42), number<uint32_t>(directory, 20), place),
      method == kDeflated, number<uint32_t>(directory, 16)};
  name.resize(name.size() - kExtension.size());
  require(members_.emplace(std::move(name), member).second, ErrorKind::kInput, "{}: is there twice",
          place);
  return whole;
}

// They begin behind the local header, whose name and extra field have lengths of their own.
std::span<const std::byte> NpzFile::member_bytes(std::size_t at, std::size_t size,
                                                 const std::string& place) const {
  bool fits = at <= file_.size() && file_.size() - at >= kLocalBytes &&
              number<uint32_t>(file_, at) == kLocalMagic;
  require(fits, ErrorKind::kInput, "{}: there is no local header at byte {}", place, at);
  std::size_t begin =
      at + kLocalBytes + number<uint16_t>(file_, at + 26) + number<uint16_t>(file_, at + 28);
  require(begin <= file_.size() && size <= file_.size() - begin, ErrorKind::kInput,
          "{}: {} bytes from byte {} on pass the end of the file", place, size, begin);
  return file_.subspan(begin, size);
}

std::vector<std::string> NpzFile::names() const {
  std::vector<std::string> names;
  names.reserve(members_.size());
  for (const auto& [name, member] : members_) names.push_back(name);
  return names;
}

bool NpzFile::contains(std::string_view name) const {
  return members_.find(name) != members_.end();
}

NpyArray NpzFile::array(std::string_view name) const {
  auto found = members_.find(name);
  require(found != members_.end(), ErrorKind::kInput, "{}: there is no array {}; it has {}", where_,
          excerpt(name), members_.empty() ? "none" : listed(names()));
  const Member& member = found->second;
  std::string place = fmt::format("{}: {}", where_, excerpt(name));
  PackedReader reader(member.bytes, member.deflated ? PackedReader::kDeflate : PackedReader::kPlain,
                      place);
  NpyArray array = read_npy(reader, place);
  require(reader.crc() == member.crc, ErrorKind::kInput,
          "{}: damaged: the CRC-32 is {:08x}, the archive says {:08x}", place, reader.crc(),
          member.crc);
  return array;
}

}  // namespace inlay
