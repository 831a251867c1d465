// Zip archives whose members are stored without compression, which is what PyTorch writes, so that
// a member's bytes can be used in place. Reading trusts nothing: the central directory is the only
// authority and every range is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

struct ZipMember {
  std::span<const std::byte> bytes;
  uint32_t crc32 = 0;  // as the archive gives it
};

// Members by name, within `file`. kInput for compressed, encrypted, duplicate, misplaced or
// zip64-only members.
std::map<std::string, ZipMember, std::less<>> read_stored_zip(std::span<const std::byte> file,
                                                              std::string_view where);

struct ZipPart {
  std::string name;
  std::span<const std::byte> bytes;
};

// Calls `write` with the pieces of an archive of the parts, each beginning at a multiple of 64,
// without times, so that equal parts give equal archives. kInput when it would pass 4 GiB or 65,534
// members.
void write_stored_zip(std::span<const ZipPart> parts,
                      const std::function<void(std::span<const std::byte>)>& write);

uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace inlay
