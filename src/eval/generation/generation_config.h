// The generation_config.json of a model's folder: what its authors sample with, and which tokens
// end a text.
//
//   GenerationOptions options = read_generation_config(folder);   // then flags on top
#pragma once

#include <filesystem>

#include "eval/generation/generation_options.h"

namespace inlay {

// Settings that the file lacks keep their defaults; without the file all do. Where it names no eos
// token, config.json's counts. kInput naming file, key and value for a setting of another type or
// out of range, and for one that would change what is generated and that Inlay does not have
// (beams, n-gram bans, ...): none is ignored.
GenerationOptions read_generation_config(const std::filesystem::path& folder);

}  // namespace inlay
