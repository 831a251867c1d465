// What a run was trained on, by hash: base, tokenizer, data files. A run is neither measured nor
// gone on with on anything else, since its splits would no longer be the ones it was trained with.
//
//   write_file_atomically(run.inputs(), pretty_json(run_inputs(bench)));
//   check_inputs(read_json(run.inputs()), bench, run.inputs().string());
#pragma once

#include <string_view>

#include "base/json.h"
#include "train/workbench.h"

namespace inlay {

// {"base": hash, "tokenizer": hash, "files": [{"path", "sha256"}]}
Json run_inputs(const Workbench& bench);

// kInput that names what changed, with both hashes. `where` is the file that `recorded` came from.
void check_inputs(const Json& recorded, const Workbench& bench, std::string_view where);

}  // namespace inlay
