#include "data/images/picture_files.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "data/encoding.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPictureBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxPictures = 5'000'000;
constexpr int kMaxDepth = 32;
constexpr std::array<std::string_view, 4> kRead = {".png", ".jpg", ".jpeg", ".webp"};
constexpr std::array<std::string_view, 9> kNotRead = {".gif",  ".bmp",  ".tif",  ".tiff", ".svg",
                                                      ".avif", ".heic", ".jfif", ".jp2"};

// In lower case, with its dot.
std::string extension_of(std::string_view name) {
  std::string extension = fs::path(name).extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& extensions, std::string_view name) {
  return std::find(extensions.begin(), extensions.end(), extension_of(name)) != extensions.end();
}

class Walk {
 public:
  explicit Walk(const fs::path& folder) : folder_(folder), root_(fs::canonical(folder)) {}

  std::vector<std::string> pictures() {
    descend(root_, "", 0);
    std::sort(names_.begin(), names_.end());
    return std::move(names_);
  }

 private:
  void descend(const fs::path& at, const std::string& prefix, int depth) {
    require(depth <= kMaxDepth, ErrorKind::kInput,
            "{}: {} is nested deeper than {} folders; expected fewer", folder_.string(),
            excerpt(prefix), kMaxDepth);
    for (const auto& entry : fs::directory_iterator(at)) visit(entry, prefix, depth);
  }

  void visit(const fs::directory_entry& entry, const std::string& prefix, int depth) {
    std::string name = entry.path().filename().string();
    if (name.starts_with('.')) return;
    std::string relative = prefix + name;
    std::string where = fmt::format("{}: {}", folder_.string(), excerpt(relative, 200));
    checked_text(relative, where);
    if (entry.is_directory()) {
      require(!entry.is_symlink(), ErrorKind::kInput,
              "{}: is a link to a folder; expected folders and files; put the folder itself there",
              where);
      descend(entry.path(), relative + "/", depth + 1);
      return;
    }
    require(!is_one_of(kNotRead, name), ErrorKind::kInput,
            "{}: pictures of this kind are not read; convert it to PNG, JPEG or WebP, or remove it",
            where);
    if (!is_picture_name(name)) return;
    if (entry.is_symlink()) file_within(root_, relative, where);
    require(names_.size() < kMaxPictures, ErrorKind::kInput, "{}: more than {} pictures",
            folder_.string(), kMaxPictures);
    names_.push_back(std::move(relative));
  }

  fs::path folder_, root_;
  std::vector<std::string> names_;
};

}  // namespace

bool is_picture_name(std::string_view name) { return is_one_of(kRead, name); }

fs::path file_within(const fs::path& root, const std::string& relative, const std::string& where) {
  fs::path path(relative);
  bool inside = !relative.empty() && !path.is_absolute() && relative.find('\0') == relative.npos;
  for (const fs::path& part : path) inside = inside && part != "..";
  require(inside, ErrorKind::kInput, "{}: {} leaves the folder {}; expected a path inside of it",
          where, excerpt(relative, 200), root.string());
  std::error_code error;
  fs::path real = fs::canonical(root / path, error);
  require(!error && fs::is_regular_file(real, error), ErrorKind::kInput,
          "{}: there is no file {} in {}", where, excerpt(relative, 200), root.string());
  auto [end, rest] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  require(end == root.end(), ErrorKind::kInput,
          "{}: {} is a link that leaves the folder {}; put the file itself there", where,
          excerpt(relative, 200), root.string());
  return root / path;
}

std::vector<std::string> pictures_below(const fs::path& folder) { return Walk(folder).pictures(); }

Image PictureFileStore::load(std::size_t index) const {
  const File& file = files_[index];
  Image image = decode_image(read_file(file.path, kMaxPictureBytes), file.place);
  bool fits = file.width == 0 || (image.width == file.width && image.height == file.height);
  require(fits, ErrorKind::kInput,
          "{}: the picture, turned upright as its EXIF says, is {} x {} (width x height), but the "
          "annotations are for one of {} x {}: boxes would lie elsewhere; correct width and height "
          "there and the boxes with them, or put the picture there that was annotated",
          file.place, image.width, image.height, file.width, file.height);
  return image;
}

}  // namespace inlay
