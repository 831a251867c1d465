#include "hub/repository.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "formats/checkpoint.h"
#include "hub/http.h"
#include "hub/pulled_folder.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = 64u << 20;
constexpr uint64_t kMaxSmallBytes = uint64_t{1} << 30;
constexpr uint64_t kMaxWeightBytes = uint64_t{1} << 40;
constexpr std::string_view kWeights = ".safetensors";

constexpr std::array<std::string_view, 19> kSmallFiles = {"README.md",
                                                          "adapter_config.json",
                                                          "added_tokens.json",
                                                          "chat_template.jinja",
                                                          "config.json",
                                                          "generation_config.json",
                                                          "merges.txt",
                                                          "model.safetensors.index.json",
                                                          "preprocessor_config.json",
                                                          "sentencepiece.bpe.model",
                                                          "source.spm",
                                                          "special_tokens_map.json",
                                                          "spiece.model",
                                                          "target.spm",
                                                          "tokenizer.json",
                                                          "tokenizer.model",
                                                          "tokenizer_config.json",
                                                          "vocab.json",
                                                          "vocab.txt"};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A part of owner/name: letters, digits and -_. that neither begins nor ends with a dot.
bool is_name_part(std::string_view part) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.back() != '.' &&
         part.find_first_not_of(kAllowed) == part.npos;
}

// Folders inside a repository are ordinary, a way out of it is an attack.
void check_listed_name(const std::string& name, const std::string& where) {
  bool safe = !name.empty() && name.front() != '/' && name.find('\\') == name.npos &&
              name.find('\0') == name.npos;
  for (const fs::path& part : fs::path(name)) safe = safe && part != "..";
  require(safe, ErrorKind::kInput,
          "{}: lists the file \"{}\", whose name leads out of its folder; nothing was pulled",
          where, name.substr(0, 200));
}

struct Listing {
  std::string commit;
  std::vector<std::string> files;
};

Listing list_files(const std::string& name, const PullOptions& options) {
  std::string where = options.endpoint + "/" + name;
  std::string text = download_text({.what = name,
                                    .url = options.endpoint + "/api/models/" + name,
                                    .token = options.token,
                                    .max_bytes = kMaxListBytes,
                                    .progress = options.progress});
  Json json = parse_json(text, where);
  require(json.is_object() && json.contains("siblings") && json["siblings"].is_array(),
          ErrorKind::kInput,
          "{}: the answer has no list \"siblings\"; is the endpoint a Hugging Face Hub?", where);
  Listing listing{.commit = json_get<std::string>(json, "sha", where), .files = {}};
  bool is_commit = listing.commit.size() == 40 &&
                   listing.commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  require(is_commit, ErrorKind::kInput, "{}: the commit is \"{}\"; expected 40 hexadecimal digits",
          where, listing.commit.substr(0, 60));
  for (const Json& sibling : json["siblings"]) {
    listing.files.push_back(json_get<std::string>(sibling, "rfilename", where));
    check_listed_name(listing.files.back(), where);
  }
  return listing;
}

void fetch_files(const std::string& name, const Listing& listing, const PullOptions& options,
                 const fs::path& folder) {
  std::vector<std::string> files = wanted_files(listing.files, name);
  for (const std::string& file : files) {
    fs::path target = child_path(folder, file);
    if (fs::exists(target)) continue;
    download_file({.what = fmt::format("{}/{}", name, file),
                   .url = fmt::format("{}/{}/resolve/{}/{}", options.endpoint, name, listing.commit,
                                      percent_encoded(file)),
                   .token = options.token,
                   .max_bytes = ends_with(file, kWeights) ? kMaxWeightBytes : kMaxSmallBytes,
                   .progress = options.progress},
                  target);
  }
}

// Headers, shards and index agree.
void check_weights(const fs::path& folder) {
  bool whole_model = fs::exists(folder / "model.safetensors") ||
                     fs::exists(folder / "model.safetensors.index.json");
  if (whole_model) Checkpoint::open(folder);
}

}  // namespace

bool is_repository_name(std::string_view name) {
  std::size_t slash = name.find('/');
  return slash != name.npos && is_name_part(name.substr(0, slash)) &&
         is_name_part(name.substr(slash + 1));
}

std::string checked_repository_name(std::string_view name) {
  require(
      is_repository_name(name), ErrorKind::kUsage,
      "\"{}\" is not a repository name; expected owner/name of letters, digits, '-', '_' and '.'",
      name);
  return std::string(name);
}

std::vector<std::string> wanted_files(const std::vector<std::string>& listed,
                                      const std::string& where) {
  bool single = contains(listed, "model.safetensors");
  bool sharded = !single && contains(listed, "model.safetensors.index.json");
  std::vector<std::string> wanted;
  bool any_weights = false;
  for (const std::string& file : listed) {
    check_listed_name(file, where);
    if (file.find('/') != file.npos) continue;
    bool small = std::find(kSmallFiles.begin(), kSmallFiles.end(), file) != kSmallFiles.end();
    if (single && file == "model.safetensors.index.json") small = false;
    bool weights = ends_with(file, kWeights) && (single    ? file == "model.safetensors"
                                                 : sharded ? file.rfind("model-", 0) == 0
                                                           : true);
    if (small || weights) wanted.push_back(file);
    any_weights = any_weights || weights;
  }
  require(any_weights, ErrorKind::kInput,
          "{}: has no .safetensors weights; Inlay reads no pickled weights from the network",
          where);
  std::sort(wanted.begin(), wanted.end());
  return wanted;
}

fs::path pull_repository(const std::string& name, const PullOptions& options) {
  Listing listing = list_files(name, options);
  Staging staging(options.home, "hub/" + name, listing.commit);
  fetch_files(name, listing, options,
              staging.folder());  // on failure, what came stays for the next call
  try {
    check_weights(staging.folder());
  } catch (...) {
    staging.discard();
    throw;
  }
  return staging.place({.name = name,
                        .source = options.endpoint,
                        .version = listing.commit,
                        .sha256 = {},
                        .files = {}});
}

}  // namespace inlay
