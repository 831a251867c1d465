#include "base/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <mutex>

#include "base/error.h"

namespace inlay {

namespace {

// Plain lines; on a terminal a progress line that stands there is wiped first (it is drawn again by
// its next update).
class PlainSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line = isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
    if (message.level == spdlog::level::warn) line += "warning: ";
    line.append(message.payload.data(), message.payload.size());
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
  void flush_() override { std::fflush(stderr); }
};

spdlog::logger& logger() {
  static spdlog::logger instance("inlay", std::make_shared<PlainSink>());
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  fail(ErrorKind::kInternal, "log level {} is not in the list", static_cast<int>(level));
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(spdlog_level(level)); }

void log_message(LogLevel level, std::string_view message) {
  logger().log(spdlog_level(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace inlay
