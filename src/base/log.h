// What a person should know while the program runs goes to stderr, one plain line per message;
// results go to stdout. Only the command line sets the level.
//
//   log_info("read {} rows from {}", rows, path);
//   log_warn("{} rows have no text; they are left out", empty);
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace inlay {

enum class LogLevel {
  kDebug,
  kInfo,
  kWarn,
  kOff,
};

// Messages below `level` are dropped. The level at start is kInfo.
void set_log_level(LogLevel level);

void log_message(LogLevel level, std::string_view message);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}

// The line begins with "warning: ".
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace inlay
