// Pulls a repository of the Hugging Face Hub, or of a server that speaks its protocol: the list of
// files from {endpoint}/api/models/{owner}/{name}, each file from
// {endpoint}/{owner}/{name}/resolve/{commit}/{file}.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hub/pull.h"

namespace inlay {

// owner/name, of the characters that the Hub allows.
bool is_repository_name(std::string_view name);
std::string checked_repository_name(std::string_view name);  // kUsage when it is not one

// Which of a repository's files Inlay can use: configuration, tokenizer, safetensors weights,
// README. Of several forms of the weights the one that a Checkpoint would open. kInput for a name
// that could leave the folder.
std::vector<std::string> wanted_files(const std::vector<std::string>& listed,
                                      const std::string& where);

std::filesystem::path pull_repository(const std::string& name, const PullOptions& options);

}  // namespace inlay
