#include "runs/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace inlay {

namespace {

// Text in a record comes from data, so bytes that are not UTF-8 are replaced, not refused.
std::string line_of(const Json& record) {
  return record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  require(file_ >= 0, ErrorKind::kIo, "cannot write {}: {}", path.string(), std::strerror(errno));
}

MetricsLog::~MetricsLog() { ::close(file_); }

void MetricsLog::append(const Json& record) {
  ensure(record.is_object() && record.contains("step") && record["step"].is_number_integer(),
         "a metrics record needs an integer step");
  const std::string line = line_of(record);
  write_all(file_, std::as_bytes(std::span(line)), path_.string());
}

std::vector<Json> read_metrics(const std::filesystem::path& path) {
  std::vector<Json> records;
  if (!std::filesystem::exists(path)) return records;
  const std::string text = read_file(path);
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    const std::string where = fmt::format("{} line {}", path.string(), records.size() + 1);
    records.push_back(parse_json(std::string_view(text).substr(start, end - start), where));
    json_get<int64_t>(records.back(), "step", where);
    start = end + 1;
  }
  return records;
}

void keep_metrics(const std::filesystem::path& path, const std::function<bool(const Json&)>& keep) {
  std::string kept;
  for (const Json& record : read_metrics(path)) {
    if (keep(record)) kept += line_of(record);
  }
  write_file_atomically(path, kept);
}

}  // namespace inlay
