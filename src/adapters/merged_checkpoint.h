// A base's tensors with an adapter merged in, so that the plain model gives what base and adapter
// give together.
//
//   MergedCheckpoint merged = merge_into(model->checkpoint(), model->facts(), adapter.get());
//
// Each sum is taken in float32 (float64 for a float64 base) from the stored values and rounded
// once, to nearest even, to the type that the base's file has. Tensors that the file repeats under
// another name, such as a masked-LM decoder tied to the word table, follow the tensor that they
// repeat.
#pragma once

#include <cstddef>
#include <vector>

#include "adapters/adapter.h"
#include "formats/checkpoint.h"
#include "formats/safetensors.h"

namespace inlay {

struct MergedCheckpoint {
  std::vector<NamedTensor> tensors;  // all of the checkpoint, under its names
  std::size_t changed = 0;           // how many of them the adapter changed
};

// `adapter` null: the base as it is. kUsage naming method and sites where an adapter does what no
// tensors of the base can do; kInput naming the tensor that the stored type cannot hold (an
// overflow of F16). The base stays untouched.
MergedCheckpoint merge_into(const Checkpoint& checkpoint, const BaseFacts& base, Adapter* adapter);

// A site's tensors as merging with this adapter alone would make them, in `dtype` (F32 or F64);
// false where it cannot.
bool merged_site(const Site& site, SiteHook& hook, DType dtype, MergedTensors& merged);

}  // namespace inlay
