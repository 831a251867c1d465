#include "base/scratch_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"

namespace inlay {

ScratchPages ScratchPages::in_memory(std::size_t bytes) {
  if (bytes == 0) return {};
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(data != MAP_FAILED, ErrorKind::kIo, "{} bytes of memory: {}", bytes,
          std::strerror(errno));
  return {static_cast<std::byte*>(data), bytes};
}

ScratchPages ScratchPages::in_file(const std::filesystem::path& folder, std::size_t bytes) {
  if (bytes == 0) return {};
  std::string name = (folder / "scratch.XXXXXX").string();
  int file = ::mkstemp(name.data());
  require(file >= 0, ErrorKind::kIo, "{}: {}", name, std::strerror(errno));
  ::unlink(name.c_str());
  // A page without room behind it would end the process when it is written to.
  int failure = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  void* data = failure == 0 ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                            : MAP_FAILED;
  if (failure == 0 && data == MAP_FAILED) failure = errno;
  ::close(file);
  require(failure == 0, ErrorKind::kIo, "{}: {} bytes for what is kept between epochs: {}",
          folder.string(), bytes, std::strerror(failure));
  return {static_cast<std::byte*>(data), bytes};
}

ScratchPages::ScratchPages(ScratchPages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

ScratchPages& ScratchPages::operator=(ScratchPages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

ScratchPages::~ScratchPages() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace inlay
