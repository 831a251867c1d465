// Pictures that are files: which names are pictures, paths that may not leave their folder, and the
// store that reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/images/image_store.h"

namespace inlay {

// .png, .jpg, .jpeg and .webp, in any case.
bool is_picture_name(std::string_view name);

// The file `relative` of the folder. kInput naming `where`: there is none, or the way there leaves
// the folder, by "..", as an absolute path or by a symbolic link. REQUIRES: root is canonical.
std::filesystem::path file_within(const std::filesystem::path& root, const std::string& relative,
                                  const std::string& where);

// All pictures below the folder, relative to it, in bytewise order. Names that begin with a dot are
// passed over, and so is what is no picture; kInput naming it: a picture of a kind that is not read
// (GIF, TIFF …), which would otherwise be missed in silence, a link to a folder, and a link that
// leaves the folder.
std::vector<std::string> pictures_below(const std::filesystem::path& folder);

class PictureFileStore : public ImageStore {
 public:
  void reserve(std::size_t count) { files_.reserve(count); }
  // `place` is what messages call it. Where a size is given, load() refuses a picture that, turned
  // upright, has another.
  void add(std::filesystem::path path, std::string place, int64_t width = 0, int64_t height = 0) {
    files_.push_back({std::move(path), std::move(place), width, height});
  }

  std::size_t size() const override { return files_.size(); }
  Image load(std::size_t index) const override;
  std::string place(std::size_t index) const override { return files_[index].place; }

 private:
  struct File {
    std::filesystem::path path;
    std::string place;
    int64_t width = 0, height = 0;
  };
  std::vector<File> files_;
};

}  // namespace inlay
