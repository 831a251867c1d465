// Files: limited reads, atomic writes, read-only maps, and paths that cannot leave their folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace inlay {

// The whole file; an error names the path when it is missing, a folder, unreadable or larger than
// `max_bytes`.
std::string read_file(const std::filesystem::path& path,
                      std::size_t max_bytes = std::size_t{1} << 30);

// Writes a temporary file beside `path`, fsyncs it, renames it into place and fsyncs the folder: a
// reader, or a machine that stops at any instant, sees the old file or the whole new one. Creates
// missing folders.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// The same for writers that stream: `write` appends to the file descriptor. On an exception nothing
// is left behind.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(int fd)>& write);

// Appends all bytes to a descriptor; a full disk is an Error of kind kIo that names `what`.
void write_all(int fd, std::span<const std::byte> bytes, const std::string& what);

// `folder / name` for a file name that came from an untrusted file: no separators, no "..", not
// absolute, not empty.
std::filesystem::path child_path(const std::filesystem::path& folder, std::string_view name);

// A file mapped read-only for its whole length. Movable; unmapped at the end of its life.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Gives the resident pages of a range back to the system; they are read again from the file when
  // touched.
  void drop_pages(std::span<const std::byte> range) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace inlay
