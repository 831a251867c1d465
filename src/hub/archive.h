// Takes named files out of a .tgz or a Debian package (.deb, an ar archive with the files in its
// member data.tar). Nothing is unpacked by the archive's own wishes: a member is
// written only where the caller says, so paths, links and devices inside cannot do harm. The first
// member of a name counts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace inlay {

// Writes each member to `folder` under the file name it is listed with. kInput when one is missing,
// not a plain file or larger than `max_bytes`, and when the archive is damaged.
void unpack_members(const std::filesystem::path& archive,
                    const std::map<std::string, std::string>& file_to_member,
                    const std::filesystem::path& folder, uint64_t max_bytes = uint64_t{1} << 30);

// Writes every plain file below `below` in the archive whose name ends in one of `endings` to the
// same path below `folder`. kInput when there is none, and otherwise as above.
void unpack_tree(const std::filesystem::path& archive, const std::string& below,
                 const std::vector<std::string>& endings, const std::filesystem::path& folder,
                 uint64_t max_bytes = uint64_t{1} << 30);

}  // namespace inlay
