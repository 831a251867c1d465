// Pages for what is made once and read again: of memory, or of a file without a name, which is gone
// when nobody has it any more, however the process ends.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace inlay {

class ScratchPages {
 public:
  ScratchPages() = default;
  // Zeros; pages are taken when they are first written to.
  static ScratchPages in_memory(std::size_t bytes);
  // A file in `folder`, whose room on the disk is taken at once. kIo where there is none.
  static ScratchPages in_file(const std::filesystem::path& folder, std::size_t bytes);
  ScratchPages(ScratchPages&& other) noexcept;
  ScratchPages& operator=(ScratchPages&& other) noexcept;
  ~ScratchPages();

  std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  ScratchPages(std::byte* data, std::size_t size) : data_(data), size_(size) {}

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace inlay
