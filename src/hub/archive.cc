#include "hub/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/files.h"

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

Handle open_tgz(const fs::path& path) {
  Handle handle(archive_read_new(), archive_read_free);
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_format_tar(handle.get());
  require(archive_read_open_filename(handle.get(), path.c_str(), 1 << 16) == ARCHIVE_OK,
          ErrorKind::kInput, "{}: not a .tgz archive: {}", path.string(), reason_of(handle.get()));
  return handle;
}

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

}  // namespace

void unpack_members(const fs::path& archive,
                    const std::map<std::string, std::string>& file_to_member,
                    const fs::path& folder, uint64_t max_bytes) {
  std::map<std::string, std::string> wanted;  // member to file
  for (const auto& [file, member] : file_to_member) wanted[member] = file;
  Handle handle = open_tgz(archive);
  struct archive_entry* entry = nullptr;
  for (int count = 0;; ++count) {
    int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    require(status == ARCHIVE_OK || status == ARCHIVE_WARN, ErrorKind::kInput, "{}: damaged: {}",
            archive.string(), reason_of(handle.get()));
    bool small = count < kMaxEntries &&
                 static_cast<uint64_t>(archive_filter_bytes(handle.get(), 0)) <= kMaxScannedBytes;
    require(small, ErrorKind::kInput, "{}: too much in it to be a package", archive.string());
    const char* name = archive_entry_pathname(entry);
    auto found = name == nullptr ? wanted.end() : wanted.find(name);
    if (found == wanted.end()) continue;
    std::string where = archive.string() + ": " + found->first;
    require(archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr,
            ErrorKind::kInput, "{}: not a plain file", where);
    write_member(handle.get(), where, child_path(folder, found->second), max_bytes);
    wanted.erase(found);
  }
  require(wanted.empty(), ErrorKind::kInput, "{}: \"{}\" is not in it", archive.string(),
          wanted.empty() ? "" : wanted.begin()->first);
}

}  // namespace inlay
