// A head in files of ours, head.json and head.safetensors, for the heads that no other library's
// file can hold: mean pooling, detection, verification, or beside an adapter in our own format.
#pragma once

#include <filesystem>
#include <memory>

#include "nn/base_facts.h"
#include "nn/head.h"

namespace inlay {

bool same_layout(const HeadLayout& a, const HeadLayout& b);

void write_head_file(const std::filesystem::path& folder, const Head& head);
// Null when the folder has no such file.
std::unique_ptr<Head> read_head_file(const std::filesystem::path& folder, const BaseFacts& base);

}  // namespace inlay
