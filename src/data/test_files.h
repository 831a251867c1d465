// For the tests of this folder: files in a temporary folder that is removed at the end, and a check
// of an Error's text.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"

namespace inlay {

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "inlay-data-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }

  // Returns the file's path.
  std::string write(const std::string& name, const std::string& bytes) const {
    std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

 private:
  std::string path_;
};

}  // namespace inlay

// The expression throws an Error of kind kInput whose message holds the given part.
#define EXPECT_INPUT_ERROR(expression, part)                                            \
  try {                                                                                 \
    expression;                                                                         \
    ADD_FAILURE() << "no error; expected one with: " << (part);                         \
  } catch (const ::inlay::Error& error) {                                               \
    EXPECT_EQ(error.kind(), ::inlay::ErrorKind::kInput);                                \
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what(); \
  }
