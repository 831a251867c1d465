// Downloads that survive a bad line: a broken transfer is resumed where it stopped, in this call or
// in a later one, from the file `<target>.part`; size and SHA-256 are checked before the file gets
// its name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace inlay {

// How far a file is; `total` is 0 while nobody has said. It may throw, to stop: what is there is
// kept for a resume.
using DownloadProgress =
    std::function<void(const std::string& file, uint64_t done, uint64_t total)>;

struct Download {
  std::string what;  // in messages and progress
  std::string url;
  std::string token;
  uint64_t max_bytes = 0;
  DownloadProgress progress;
};

// Writes `target`. The SHA-256 is checked where the server gives one in its ETag (as the Hub does
// for large files). kIo when the server cannot be reached or keeps breaking off; kInput for a wrong
// size or hash, with the file removed.
void download_file(const Download& download, const std::filesystem::path& target);

// The same into memory, without resuming.
std::string download_text(const Download& download);

}  // namespace inlay
