// The figures of a run as they come: metrics.jsonl, one JSON object per line, each with a "step". A
// record is written in one piece and is in the file when append() returns; a kill can at most leave
// a last line without its end, which reading ignores.
//
//   MetricsLog log(run.metrics());
//   log.append({{"step", 12}, {"loss", 0.43}});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/json_fwd.h"

namespace inlay {

class MetricsLog {
 public:
  // Appends to the file, which is made when it is missing.
  explicit MetricsLog(const std::filesystem::path& path);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // REQUIRES: an object with an integer "step".
  void append(const Json& record);

 private:
  std::filesystem::path path_;
  int file_;
};

// All complete records; {} when the file is missing.
std::vector<Json> read_metrics(const std::filesystem::path& path);

// Keeps only the records of which `keep` is true, for a run that goes on from an earlier place;
// also ends a last line that was left half-written.
void keep_metrics(const std::filesystem::path& path, const std::function<bool(const Json&)>& keep);

}  // namespace inlay
