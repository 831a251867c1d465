#include "formats/tensor_map.h"

#include "formats/safetensors.h"
#include "formats/torch_zip.h"

namespace inlay {
namespace {

template <class File>
std::map<std::string, Tensor> all_tensors(const File& file) {
  std::map<std::string, Tensor> tensors;
  for (const std::string& name : file.names()) tensors[name] = file.tensor(name);
  return tensors;
}

}  // namespace

std::map<std::string, Tensor> read_tensors(const std::filesystem::path& path) {
  return path.extension() == ".safetensors" ? all_tensors(SafetensorsFile::open(path))
                                            : all_tensors(TorchFile::open(path));
}

}  // namespace inlay
