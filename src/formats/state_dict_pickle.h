// The pickle inside a torch state dict. A pickle is a program; this interpreter knows only the
// instructions and the few names that a dictionary of tensors needs, and calls nothing. Everything
// else is an error that names what was met.
//
//   OrderedDict([("weight", _rebuild_tensor_v2(FloatStorage "0" of 12, offset 0, (3, 4), strides
//   (4, 1)))])
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace inlay {

// A tensor as a view of a storage, all counted in elements. Sizes, strides and offset are 0 or
// more.
struct PickledTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::string storage;  // which file of the archive holds the bytes
  int64_t storage_count = 0;
  int64_t offset = 0;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
};

std::vector<PickledTensor> read_state_dict_pickle(std::span<const std::byte> bytes,
                                                  std::string_view where);

// A pickle that torch.load reads as a dict; strides are taken to be those of contiguous tensors.
// kInput for a dtype that torch has no storage for.
std::string write_state_dict_pickle(std::span<const PickledTensor> tensors);

}  // namespace inlay
