// Brings a model or a data set into the home folder and says where it is.
//
//   PullOptions options = pull_options_from_environment();
//   std::filesystem::path model = pull("all-minilm-l6-v2", options);           // an entry of the
//   catalogue std::filesystem::path other = pull("FacebookAI/roberta-base", options);    // a
//   Hugging Face repository
//
// A folder appears whole or not at all, and source.json in it lists every file's SHA-256. What is
// there already and intact is not fetched again; remove the folder to fetch anew.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "hub/download.h"

namespace inlay {

struct PullOptions {
  std::filesystem::path home;
  std::string endpoint;  // of the Hub; without a slash at its end
  std::string token;     // for the Hub; empty for none
  DownloadProgress progress;
};

// INLAY_HOME, or .cache/inlay in the user's home folder. kUsage when neither is known.
std::filesystem::path home_folder();

// home_folder(); HF_ENDPOINT; HF_TOKEN.
PullOptions pull_options_from_environment();

std::filesystem::path pull(std::string_view name, const PullOptions& options);

// Where `name` is when it was pulled, without looking at the network or checking hashes.
std::optional<std::filesystem::path> find_pulled(std::string_view name,
                                                 const std::filesystem::path& home);

}  // namespace inlay
