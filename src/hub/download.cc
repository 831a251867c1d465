#include "hub/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "hub/http.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 5;  // in a row that bring nothing new
constexpr std::chrono::milliseconds kFirstPause{200};

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The 64 hexadecimal digits of an ETag such as "\"e3b0...\"" or W/"...", or "" when it is something
// else.
std::string sha256_of_etag(std::string_view etag) {
  if (etag.substr(0, 2) == "W/") etag.remove_prefix(2);
  if (etag.size() == 66 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, 64);
  bool is_hash = etag.size() == 64 && etag.find_first_not_of("0123456789abcdefABCDEF") == etag.npos;
  std::string hash(is_hash ? etag : "");
  for (char& c : hash) c = static_cast<char>(c | 0x20);  // digits have that bit already
  return hash;
}

// What a server says about the whole file.
struct Promise {
  std::optional<uint64_t> size;
  std::string sha256;
};

Promise promise_of(const HttpResponse& response) {
  Promise promise;
  promise.sha256 =
      sha256_of_etag(response.linked_etag.empty() ? response.header("etag") : response.linked_etag);
  promise.size = number_of(response.linked_size);
  if (promise.size) return promise;
  if (response.status == 206) {
    std::string range = response.header("content-range");  // bytes 100-199/200
    promise.size =
        number_of(std::string_view(range).substr(std::min(range.size(), range.rfind('/') + 1)));
  } else {
    promise.size = number_of(response.header("content-length"));
  }
  return promise;
}

void check_status(long status, const std::string& what) {
  require(status != 401 && status != 403, ErrorKind::kInput,
          "{}: access denied ({}). If the repository exists, it is private or gated: accept its "
          "terms on its page and "
          "set HF_TOKEN to a token of yours that may read it",
          what, status);
  require(status != 404, ErrorKind::kInput,
          "{}: not found (404); check the owner, the name and the spelling", what);
  bool retried = status == 429 || status >= 500 || status == 416;
  require(status == 200 || status == 206 || retried, ErrorKind::kIo, "{}: the server answered {}",
          what, status);
}

// Calls `attempt` until it returns true. It returns false, and says why in `reason`, when trying
// again may help; an attempt that brought new bytes does not count.
template <class Attempt>
void with_retries(const Download& download, Attempt attempt) {
  auto pause = kFirstPause;
  std::string reason;
  for (int left = kAttempts; left > 0; --left) {
    bool progressed = false;
    if (attempt(reason, progressed)) return;
    if (progressed) {
      left = kAttempts + 1;
      pause = kFirstPause;
    }
    if (left > 1) std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  fail(ErrorKind::kIo,
       "{}: gave up after {} attempts: {}; run the command again to go on where it stopped",
       download.what, kAttempts, reason);
}

std::string reason_of(const HttpResponse& response) {
  return response.failure.empty() ? fmt::format("the server answered {}", response.status)
                                  : response.failure;
}

// The unfinished file: opened for appending, or emptied when the server sends the whole.
class PartFile {
 public:
  explicit PartFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    require(fd_ >= 0, ErrorKind::kIo, "{}: cannot open for writing", path.string());
    size_ = static_cast<uint64_t>(::lseek(fd_, 0, SEEK_END));
  }
  ~PartFile() { ::close(fd_); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  uint64_t size() const { return size_; }
  void clear() {
    require(::ftruncate(fd_, 0) == 0 && ::lseek(fd_, 0, SEEK_SET) == 0, ErrorKind::kIo,
            "{}: cannot empty it", path_.string());
    size_ = 0;
  }
  void append(std::span<const std::byte> bytes) {
    write_all(fd_, bytes, path_.string());
    size_ += bytes.size();
  }
  void sync() { require(::fsync(fd_) == 0, ErrorKind::kIo, "{}: cannot flush", path_.string()); }

 private:
  fs::path path_;
  int fd_;
  uint64_t size_ = 0;
};

// One request that fills the part file from where it ends. Sets `promise` once the server has
// answered.
HttpResponse fetch_rest(const Download& download, PartFile& part, Promise& promise) {
  uint64_t first = part.size();
  HttpSink sink;
  sink.start = [&](const HttpResponse& response) {
    promise = promise_of(response);
    bool continues =
        response.status == 206 &&
        response.header("content-range").rfind(fmt::format("bytes {}-", first), 0) == 0;
    if (!continues) {
      require(response.status == 200, ErrorKind::kIo,
              "{}: asked for bytes from {} on, was sent \"{}\"", download.what, first,
              response.header("content-range"));
      part.clear();
    }
    require(!promise.size || *promise.size <= download.max_bytes, ErrorKind::kInput,
            "{}: {} bytes, more than the limit of {}", download.what, *promise.size,
            download.max_bytes);
  };
  sink.write = [&](std::span<const std::byte> bytes) {
    uint64_t limit = promise.size.value_or(download.max_bytes);
    require(part.size() + bytes.size() <= limit, ErrorKind::kInput,
            "{}: the server sends more than {} bytes", download.what, limit);
    part.append(bytes);
  };
  sink.tick = [&] {
    if (download.progress) download.progress(download.what, part.size(), promise.size.value_or(0));
  };
  return http_get({.url = download.url, .token = download.token, .first_byte = first}, sink);
}

// True when the file has the promised size and hash; if not, it is removed. A wrong hash after a
// resume may be the fault of what was there before, so that is worth a fresh start.
bool accept(const Download& download, const fs::path& path, const Promise& promise, bool resumed) {
  if (promise.sha256.empty()) return true;
  std::string found = hex(sha256_file(path));
  if (found == promise.sha256) return true;
  fs::remove(path);
  require(resumed, ErrorKind::kInput,
          "{}: its SHA-256 is {}, expected {}; the download was removed", download.what, found,
          promise.sha256);
  return false;
}

}  // namespace

void download_file(const Download& download, const fs::path& target) {
  fs::path path = target.string() + ".part";
  with_retries(download, [&](std::string& reason, bool& progressed) {
    Promise promise;
    uint64_t before = 0;
    {
      PartFile part(path);
      before = part.size();
      HttpResponse response = fetch_rest(download, part, promise);
      reason = reason_of(response);
      progressed = part.size() > before;
      if (response.failure.empty()) check_status(response.status, download.what);
      if (response.status == 416) part.clear();  // what is there is not a beginning of this file
      bool whole = response.failure.empty() && (response.status == 200 || response.status == 206);
      if (whole && promise.size && part.size() < *promise.size) {
        reason = fmt::format("{} of {} bytes came", part.size(), *promise.size);
        whole = false;
      }
      if (!whole) return false;
      part.sync();
      if (download.progress) download.progress(download.what, part.size(), part.size());
    }
    if (!accept(download, path, promise, before > 0)) {
      reason = "the resumed file had a wrong SHA-256";
      progressed = false;
      return false;
    }
    fs::rename(path, target);
    return true;
  });
}

std::string download_text(const Download& download) {
  std::string text;
  with_retries(download, [&](std::string& reason, bool&) {
    HttpSink sink;
    sink.start = [&](const HttpResponse&) { text.clear(); };
    sink.write = [&](std::span<const std::byte> bytes) {
      require(text.size() + bytes.size() <= download.max_bytes, ErrorKind::kInput,
              "{}: the answer is longer than {} bytes", download.what, download.max_bytes);
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    sink.tick = [&] {
      if (download.progress) download.progress(download.what, text.size(), 0);
    };
    HttpResponse response = http_get({.url = download.url, .token = download.token}, sink);
    reason = reason_of(response);
    if (!response.failure.empty()) return false;
    check_status(response.status, download.what);
    return response.status == 200;
  });
  return text;
}

}  // namespace inlay
