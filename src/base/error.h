// One exception type for everything that can go wrong, with a kind that the command line maps to an
// exit code and a server to a status. A message says what was found, what was expected, where, and
// what to do:
//
//   require(rank <= limit, ErrorKind::kInput, "rank {} exceeds min(in {}, out {}); use r <= {}",
//   rank, in, out, limit);
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace inlay {

enum class ErrorKind {
  kUsage,        // the call is wrong: an unknown option, a bad value
  kInput,        // a file or its contents is wrong: model, adapter, tokenizer, data
  kIo,           // the machine said no: disk full, permission, network
  kInterrupted,  // the user asked to stop
  kInternal,     // a bug of ours
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// 2 for bad usage or input, 1 for everything else.
int exit_code(ErrorKind kind);

[[noreturn]] void throw_error(ErrorKind kind, const std::string& message);

template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw_error(kind, fmt::format(format, std::forward<Args>(args)...));
}

// The message is formatted only when the condition does not hold.
template <class... Args>
void require(bool condition, ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    throw_error(kind, fmt::format(format, std::forward<Args>(args)...));
}

// For conditions that no input can break: a failure is a bug of ours.
template <class... Args>
void ensure(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    throw_error(ErrorKind::kInternal, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace inlay
