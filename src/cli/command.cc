#include "cli/command.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "data/chat/dataset_info.h"
#include "hub/catalogue.h"
#include "hub/pull.h"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

// Where a pulled name is, or the path, or nothing.
std::optional<fs::path> locate(const std::string& name) {
  if (fs::exists(name)) return fs::path(name);
  bool plain = name.find("..") == name.npos && !name.starts_with('/') && !name.starts_with('.');
  return plain ? find_pulled(name, pull_options_from_environment().home) : std::nullopt;
}

// What to do about a name that was not found: pull it, unless it can only be a path.
std::string advice(const std::string& name) {
  bool path = name.find("..") != name.npos || name.starts_with('/') || name.starts_with('.') ||
              name.ends_with('/') || std::count(name.begin(), name.end(), '/') > 1 ||
              (name.find('/') == name.npos && fs::path(name).has_extension());
  if (path) return fmt::format("\"{}\": there is no such file or folder", name);
  return fmt::format(
      "\"{}\" is no file or folder here and was not pulled; bring it with: inlay pull {}", name,
      name);
}

}  // namespace

void add_common(CLI::App& command, Common& common) {
  command.add_flag("--json", common.json, "print one JSON object, last, on standard output");
  command.add_option("--threads", common.threads, "worker threads; 0: one per core")
      ->check(CLI::Range(0, 1024));
}

void print_json(const Json& value) { fmt::print("{}\n", value.dump()); }

fs::path resolve_model(const std::string& name) {
  require(!name.empty(), ErrorKind::kUsage,
          "no model was given; use --model with a folder or a pulled name");
  std::optional<fs::path> found = locate(name);
  require(found.has_value(), ErrorKind::kInput, "{}", advice(name));
  return *found;
}

std::string resolve_data(const std::string& name) {
  if (name.empty() || name == "-") return name;
  std::optional<fs::path> found = locate(name);
  if (!found && !dataset_choice(name).name.empty()) return name;
  require(found.has_value(), ErrorKind::kInput, "{}", advice(name));
  return found->string();
}

void refuse_beside(const CLI::App& command, const std::string& option,
                   std::initializer_list<const char*> others) {
  for (const char* other : others) {
    require(command.get_option(fmt::format("--{}", other))->count() == 0, ErrorKind::kUsage,
            "--{} has no effect beside --{}; leave one of them out", other, option);
  }
}

std::string figure_text(const Json& value) {
  if (value.is_number_integer()) return fmt::format("{}", value.get<int64_t>());
  return fmt::format("{:.4f}", value.get<double>());
}

std::string examples(std::initializer_list<const char*> lines) {
  std::string text = "Examples:";
  for (const char* line : lines) text += std::string("\n  ") + line;
  return text;
}

}  // namespace inlay::cli
