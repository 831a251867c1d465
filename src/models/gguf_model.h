// Writes a decoder of a model folder as a GGUF file, as llama.cpp reads it, with its linear layers
// in fewer bits where that is asked for.
//
//   GgufReport report = write_gguf_model("models/smol", "smol.gguf", gguf_targets("q8_0", ""));
//
// What llama.cpp would compute in another way than the base does (a window that the architecture
// does not keep to, an activation) is refused: the file is opened again, and must come down to the
// same sizes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "formats/gguf_type.h"

namespace inlay {

// What matrices are written as. One whose rows are no whole blocks stays in the type that it has.
// Vectors and position tables are always F32.
struct GgufTargets {
  const GgufType* linear = nullptr;
  const GgufType* tables = nullptr;  // of tokens, and the output projection
};

// Both are one of "q8_0", "q4_0", "f16", "bf16", "f32", kUsage otherwise. An empty `tables` is q8_0
// beside blocks, as llama.cpp has it or finer (beside Q4_0 its output projection is Q6_K), and else
// the type of the linear layers.
GgufTargets gguf_targets(const std::string& linear, const std::string& tables);

// Of the tensors of one kind, such as "attn_q": how far the farthest is off, ||W - Q|| / ||W||.
struct GgufKindReport {
  std::string kind;
  std::string type;  // the last one's
  std::size_t tensors = 0;
  double error = 0;
  uint64_t bytes_before = 0, bytes_after = 0;
};

struct GgufReport {
  std::vector<GgufKindReport> kinds;  // in the order of the file
  std::string root_hash;              // of the file as a base
  // Why the file has no tokenizer; empty where it has one.
  std::string no_tokenizer;
};

// `out` ends in ".gguf" and must not be there. kInput for a base that no architecture of llama.cpp
// holds, naming what differs, and for values that a type cannot hold or that are not finite.
GgufReport write_gguf_model(const std::filesystem::path& folder, const std::filesystem::path& out,
                            const GgufTargets& targets);

}  // namespace inlay
