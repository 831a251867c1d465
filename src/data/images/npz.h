// Archives of NumPy arrays (numpy.savez, numpy.savez_compressed), such as MedMNIST's: zip files
// whose members are stored or deflated. The central directory is the only authority, every range is
// checked, and an array is unpacked when it is asked for.
//
//   NpzFile file = NpzFile::open("breastmnist.npz");
//   NpyArray images = file.array("train_images");    // u1, (546, 28, 28)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/images/npy.h"

namespace inlay {

class NpzFile {
 public:
  static NpzFile open(const std::filesystem::path& path);
  // The same for bytes in memory, which the file then owns; `where` names them in messages.
  static NpzFile parse(std::string bytes, std::string where);

  const std::string& where() const { return where_; }
  std::vector<std::string> names() const;  // sorted, without ".npy"
  bool contains(std::string_view name) const;
  // kInput: no such array, damaged (CRC-32 too), or not as its header tells.
  NpyArray array(std::string_view name) const;

 private:
  struct Member {
    std::span<const std::byte> bytes;
    bool deflated = false;
    uint32_t crc = 0;
  };

  NpzFile(std::span<const std::byte> file, std::shared_ptr<const void> owner, std::string where);
  // Adds the member whose record begins the directory; returns the record's length.
  std::size_t add(std::span<const std::byte> directory);
  std::span<const std::byte> member_bytes(std::size_t at, std::size_t size,
                                          const std::string& place) const;

  std::span<const std::byte> file_;
  std::shared_ptr<const void> owner_;
  std::string where_;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace inlay
