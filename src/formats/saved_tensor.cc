#include "formats/saved_tensor.h"

#include "base/error.h"

namespace inlay {

Tensor saved_tensor(const SafetensorsFile& file, const std::string& name, const Shape& shape) {
  Tensor saved = file.tensor(name);
  require(saved.shape() == shape && saved.dtype() == DType::kF32, ErrorKind::kInput,
          "the checkpoint's {} is {} of shape {}, expected F32 of shape {}; it is of another run",
          name, dtype_name(saved.dtype()), saved.shape().text(), shape.text());
  return saved.clone();
}

}  // namespace inlay
