// Any bytes either are a state dict of torch.save or raise an Error, and so does every tensor of
// one: as an archive, and as the pickle inside, which chance hardly brings through an archive's
// checks.
#include "base/error.h"
#include "formats/state_dict_pickle.h"
#include "formats/torch_zip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    inlay::read_state_dict_pickle(std::as_bytes(std::span(data, size)), "fuzz");
  } catch (const inlay::Error&) {
  }
  try {
    auto file =
        inlay::TorchFile::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    for (const std::string& name : file.names()) {
      try {
        file.tensor(name).clone();
      } catch (const inlay::Error&) {
      }
    }
  } catch (const inlay::Error&) {
  }
  return 0;
}
