#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    require(fd_ >= 0, errno == ENOENT || errno == ENOTDIR ? ErrorKind::kInput : ErrorKind::kIo,
            "{}: cannot open: {}", path.string(), std::strerror(errno));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::size_t regular_size(const Descriptor& file, const fs::path& path) {
  struct stat info {};
  require(::fstat(file.get(), &info) == 0, ErrorKind::kIo, "{}: {}", path.string(),
          std::strerror(errno));
  require(S_ISREG(info.st_mode), ErrorKind::kInput, "{}: expected a file, found {}", path.string(),
          S_ISDIR(info.st_mode) ? "a folder" : "something that is not a regular file");
  return static_cast<std::size_t>(info.st_size);
}

void sync_folder(const fs::path& folder) {
  Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  ::fsync(directory.get());
}

// A name no other writer in this folder uses: process and a running count.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.parent_path() /
         fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), count.fetch_add(1));
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  Descriptor file(path, O_RDONLY);
  std::size_t size = regular_size(file, path);
  require(size <= max_bytes, ErrorKind::kInput, "{}: {} bytes, more than the limit of {}",
          path.string(), size, max_bytes);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    ssize_t got = ::read(file.get(), bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    require(got >= 0, ErrorKind::kIo, "{}: cannot read: {}", path.string(), std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

void write_all(int fd, std::span<const std::byte> bytes, const std::string& what) {
  while (!bytes.empty()) {
    ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    require(put >= 0, ErrorKind::kIo, "{}: cannot write: {}", what, std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void write_file_atomically(const fs::path& path, const std::function<void(int)>& write) {
  fs::path target = path.has_parent_path() ? path : fs::path(".") / path;
  std::error_code ignored;
  fs::create_directories(target.parent_path(), ignored);
  fs::path temporary = temporary_beside(target);
  try {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
    write(file.get());
    require(::fsync(file.get()) == 0, ErrorKind::kIo, "{}: cannot flush: {}", path.string(),
            std::strerror(errno));
    require(::rename(temporary.c_str(), target.c_str()) == 0, ErrorKind::kIo,
            "{}: cannot rename into place: {}", path.string(), std::strerror(errno));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(target.parent_path());
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_file_atomically(
      path, [&](int fd) { write_all(fd, std::as_bytes(std::span(bytes)), path.string()); });
}

fs::path child_path(const fs::path& folder, std::string_view name) {
  bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
               name.find('\\') == name.npos && name.find('\0') == name.npos;
  require(plain, ErrorKind::kInput,
          "{}: \"{}\" is not a plain file name; names inside may not leave the folder",
          folder.string(), name.substr(0, 200));
  return folder / name;
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  Descriptor file(path, O_RDONLY);
  size_ = regular_size(file, path);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  require(address != MAP_FAILED, ErrorKind::kIo, "{}: cannot map: {}", path.string(),
          std::strerror(errno));
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::drop_pages(std::span<const std::byte> range) const {
  constexpr std::size_t kPage = 4096;
  auto begin = (reinterpret_cast<std::uintptr_t>(range.data()) + kPage - 1) / kPage * kPage;
  auto end = reinterpret_cast<std::uintptr_t>(range.data() + range.size()) / kPage * kPage;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace inlay
