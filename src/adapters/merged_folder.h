// A Hugging Face model folder made of a base, an adapter merged into it, and the adapter's head.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/storage.h"
#include "formats/checkpoint.h"

namespace inlay {

struct MergedFolder {
  std::size_t tensors = 0, changed = 0;
  bool huggingface_head = false;  // the head's tensors are the model's, under the family's names
};

// Writes config.json, model.safetensors and copies of the base's tokenizer files into a folder that
// is there. Where the head is the family's own, its tensors take Hugging Face's names, config.json
// gets architectures, num_labels, id2label, label2id and problem_type, and a bare base's tensors
// get the prefix that they have in a model with a head. Errors as merge_into().
MergedFolder write_merged_folder(const std::filesystem::path& folder, const LoadedAdapter& loaded,
                                 const BaseFacts& base, const Checkpoint& checkpoint);

}  // namespace inlay
