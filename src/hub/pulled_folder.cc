#include "hub/pulled_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "hub/nested_path.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSourceFile = "source.json";
constexpr std::size_t kMaxSourceBytes = 1u << 20;

void sync_folder(const fs::path& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void write_source(const fs::path& folder, const Source& source) {
  Json json = {{"name", source.name},
               {"source", source.source},
               {"version", source.version},
               {"files", source.files}};
  if (!source.sha256.empty()) json["sha256"] = source.sha256;
  write_file_atomically(folder / kSourceFile, pretty_json(json));
}

Source read_source(const fs::path& folder) {
  fs::path path = folder / kSourceFile;
  Json json = read_json(path, kMaxSourceBytes);
  Source source{.name = json_get<std::string>(json, "name", path.string()),
                .source = json_get<std::string>(json, "source", path.string()),
                .version = json_get<std::string>(json, "version", path.string()),
                .sha256 = json_get_or<std::string>(json, "sha256", "", path.string()),
                .files = {}};
  require(json.contains("files") && json["files"].is_object(), ErrorKind::kInput,
          "{}: expected an object \"files\"", path.string());
  for (const auto& [name, hash] : json["files"].items()) {
    source.files[name] = json_get<std::string>(json["files"], name.c_str(), path.string());
  }
  return source;
}

bool is_intact(const fs::path& folder) {
  if (!fs::exists(folder / kSourceFile)) return false;
  try {
    for (const auto& [name, hash] : read_source(folder).files) {
      if (hex(sha256_file(nested_path(folder, name))) != hash) return false;
    }
  } catch (const Error&) {
    return false;
  }
  return true;
}

Staging::Staging(const fs::path& home, std::string_view place, std::string_view version)
    : target_(home / place), root_(home / "partial" / place), folder_(child_path(root_, version)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  require(!error, ErrorKind::kIo,
          "{}: cannot create: {}; set INLAY_HOME to a folder that you may write to",
          folder_.string(), error.message());
  fs::path lock = root_ / "lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  require(lock_ >= 0, ErrorKind::kIo, "{}: cannot open: {}", lock.string(), std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    fail(ErrorKind::kIo, "{} is being pulled by another process; wait for it to end", place);
  }
}

Staging::~Staging() { ::close(lock_); }

void Staging::discard() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

fs::path Staging::place(Source source) {
  for (const auto& item : fs::recursive_directory_iterator(folder_)) {
    if (item.is_directory()) continue;
    source.files[item.path().lexically_relative(folder_).generic_string()] =
        hex(sha256_file(item.path()));
  }
  write_source(folder_, source);
  fs::create_directories(target_.parent_path());
  fs::path old = root_ / "replaced";
  fs::remove_all(old);
  std::error_code error;
  if (fs::exists(target_)) fs::rename(target_, old, error);
  if (!error) fs::rename(folder_, target_, error);
  require(!error, ErrorKind::kIo, "{}: cannot move into place: {}", target_.string(),
          error.message());
  sync_folder(target_.parent_path());
  fs::remove_all(root_, error);
  return target_;
}

}  // namespace inlay
