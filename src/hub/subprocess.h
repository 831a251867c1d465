// Runs another program and waits for it. No shell is involved: arguments reach the program as they
// are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace inlay {

struct SubprocessResult {
  bool found = true;    // false: there is no such program on the PATH
  int exit_status = 0;  // 128 + signal when a signal ended it
  std::string output;   // the last 64 KiB of its stdout and stderr
};

// `arguments[0]` is looked up on the PATH; `folder` becomes the working folder; stdin is empty.
SubprocessResult run_program(const std::vector<std::string>& arguments,
                             const std::filesystem::path& folder);

}  // namespace inlay
