#include "hub/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "hub/nested_path.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxScannedBytes = uint64_t{8} << 30;  // of headers and skipped members together
constexpr int kMaxEntries = 1'000'000;

using Handle = std::unique_ptr<struct archive, int (*)(struct archive*)>;

std::string reason_of(struct archive* handle) {
  const char* text = archive_error_string(handle);
  return text == nullptr ? "it ends too early" : text;
}

// The tar archive of a package, read from front to back.
class PackageArchive {
 public:
  explicit PackageArchive(const fs::path& path) : path_(path) {
    archive_read_support_format_tar(tar_.get());
    if (path.extension() == ".deb") {
      open_data_of_deb();
      return;
    }
    archive_read_support_filter_gzip(tar_.get());
    require(archive_read_open_filename(tar_.get(), path.c_str(), kBlock) == ARCHIVE_OK,
            ErrorKind::kInput, "{}: not a .tgz archive: {}", path.string(), reason_of(tar_.get()));
  }

  struct archive* handle() const {
    return tar_.get();
  }

  // None at the end.
  struct archive_entry* next() {
    struct archive_entry* entry = nullptr;
    int status = archive_read_next_header(tar_.get(), &entry);
    if (status == ARCHIVE_EOF) return nullptr;
    require(status == ARCHIVE_OK || status == ARCHIVE_WARN, ErrorKind::kInput, "{}: damaged: {}",
            path_.string(), reason_of(tar_.get()));
    ++count_;
    bool small = count_ <= kMaxEntries &&
                 static_cast<uint64_t>(archive_filter_bytes(tar_.get(), 0)) <= kMaxScannedBytes;
    require(small, ErrorKind::kInput, "{}: too much in it to be a package", path_.string());
    return entry;
  }

 private:
  static constexpr std::size_t kBlock = 1 << 16;

  // The tar archive is a member of the outer one, whatever packs it.
  void open_data_of_deb() {
    archive_read_support_format_ar(outer_.get());
    bool opened = archive_read_open_filename(outer_.get(), path_.c_str(), kBlock) == ARCHIVE_OK;
    struct archive_entry* entry = nullptr;
    bool found = false;
    while (opened && !found && archive_read_next_header(outer_.get(), &entry) == ARCHIVE_OK) {
      const char* name = archive_entry_pathname(entry);
      found = name != nullptr && std::string_view(name).starts_with("data.tar");
    }
    require(found, ErrorKind::kInput, "{}: not a Debian package: it has no data.tar",
            path_.string());
    archive_read_support_filter_all(tar_.get());
    require(archive_read_open(tar_.get(), this, nullptr, read_outer, nullptr) == ARCHIVE_OK,
            ErrorKind::kInput, "{}: damaged: {}", path_.string(), reason_of(tar_.get()));
  }

  // libarchive's callback: the next bytes of the outer archive's member.
  static la_ssize_t read_outer(struct archive* tar, void* self, const void** bytes) {
    auto& package = *static_cast<PackageArchive*>(self);
    la_ssize_t got = archive_read_data(package.outer_.get(), package.buffer_.data(), kBlock);
    if (got < 0) archive_set_error(tar, EIO, "%s", reason_of(package.outer_.get()).c_str());
    *bytes = package.buffer_.data();
    return got < 0 ? -1 : got;
  }

  fs::path path_;
  int count_ = 0;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBlock);
  Handle outer_{archive_read_new(), archive_read_free};  // outlives what reads from it
  Handle tar_{archive_read_new(), archive_read_free};
};

// Copies the current member; an archive that promises less than it holds is stopped by the count.
void write_member(struct archive* handle, const std::string& where, const fs::path& target,
                  uint64_t max_bytes) {
  write_file_atomically(target, [&](int fd) {
    std::vector<std::byte> buffer(1 << 16);
    uint64_t total = 0;
    while (true) {
      la_ssize_t got = archive_read_data(handle, buffer.data(), buffer.size());
      require(got >= 0, ErrorKind::kInput, "{}: damaged: {}", where, reason_of(handle));
      if (got == 0) return;
      total += static_cast<uint64_t>(got);
      require(total <= max_bytes, ErrorKind::kInput, "{}: more than the limit of {} bytes", where,
              max_bytes);
      write_all(fd, std::span(buffer).first(static_cast<std::size_t>(got)), target.string());
    }
  });
}

// Where a member goes; nothing for one that is not wanted.
using Target = std::function<std::optional<fs::path>(const std::string& member)>;

void unpack(const fs::path& archive, const Target& target_of, uint64_t max_bytes) {
  PackageArchive package(archive);
  while (struct archive_entry* entry = package.next()) {
    const char* name = archive_entry_pathname(entry);
    std::optional<fs::path> target = name == nullptr ? std::nullopt : target_of(name);
    if (!target) continue;
    std::string where = archive.string() + ": " + name;
    require(archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr,
            ErrorKind::kInput, "{}: not a plain file", where);
    write_member(package.handle(), where, *target, max_bytes);
  }
}

}  // namespace

void unpack_members(const fs::path& archive,
                    const std::map<std::string, std::string>& file_to_member,
                    const fs::path& folder, uint64_t max_bytes) {
  std::map<std::string, std::string> wanted;  // member to file
  for (const auto& [file, member] : file_to_member) wanted[member] = file;
  auto target_of = [&](const std::string& member) -> std::optional<fs::path> {
    auto found = wanted.find(member);
    if (found == wanted.end()) return std::nullopt;
    fs::path target = child_path(folder, found->second);
    wanted.erase(found);
    return target;
  };
  unpack(archive, target_of, max_bytes);
  require(wanted.empty(), ErrorKind::kInput, "{}: \"{}\" is not in it", archive.string(),
          wanted.empty() ? "" : wanted.begin()->first);
}

void unpack_tree(const fs::path& archive, const std::string& below,
                 const std::vector<std::string>& endings, const fs::path& folder,
                 uint64_t max_bytes) {
  std::size_t count = 0;
  auto target_of = [&](const std::string& member) -> std::optional<fs::path> {
    auto ends = [&](const std::string& ending) { return member.ends_with(ending); };
    if (!member.starts_with(below) || !std::any_of(endings.begin(), endings.end(), ends))
      return std::nullopt;
    ++count;
    return nested_path(folder, std::string_view(member).substr(below.size()));
  };
  unpack(archive, target_of, max_bytes);
  require(count > 0, ErrorKind::kInput, "{}: no file that is wanted lies below \"{}\"",
          archive.string(), below);
}

}  // namespace inlay
