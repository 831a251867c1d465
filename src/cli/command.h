// A command of the program: one file each, with `void add_<name>(CLI::App&)` that declares its
// options and what to run. main.cc lists them.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"

namespace inlay::cli {

// The options that every command has.
struct Common {
  bool json = false;  // one JSON object, last, on stdout
  int threads = 0;    // 0: one per core
};

// The most that --max-length takes; what the model allows is checked later.
inline constexpr int64_t kMaxLength = 1 << 20;

// Adds --json and --threads; the object must live until the command has run.
void add_common(CLI::App& command, Common& common);

// Prints the object to stdout on one line.
void print_json(const Json& value);

// A pulled name, or a path as it is. kInput saying how to pull when it is neither.
std::filesystem::path resolve_model(const std::string& name_or_path);
// The same for data; an empty name gives an empty path, and a data set FOLDER/NAME of a
// dataset_info.json stays as it is.
std::string resolve_data(const std::string& name_or_path);

// kUsage when one of `others` was given beside `option`: it would have no effect. Names without
// dashes.
void refuse_beside(const CLI::App& command, const std::string& option,
                   std::initializer_list<const char*> others);

// A figure for people: counts whole, everything else with four decimals.
std::string figure_text(const Json& value);

// Help text that ends with examples.
std::string examples(std::initializer_list<const char*> lines);

}  // namespace inlay::cli
