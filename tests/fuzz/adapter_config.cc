// Any bytes as an adapter's configuration beside good tensors: the adapter loads or an Error is
// raised. PEFT's folder and AdapterHub's take turns, by the first byte.
#include <unistd.h>

#include <fstream>

#include "adapters/storage.h"
#include "base/error.h"
#include "base/source_dir.h"
#include "models/model.h"

namespace {

namespace fs = std::filesystem;

struct Folders {
  fs::path golden = source_dir() / "tests/golden/models";
  std::shared_ptr<const inlay::Model> model = inlay::load_model(golden / "bert-single-label");
  fs::path root = fs::temp_directory_path() / ("inlay-fuzz-" + std::to_string(getpid()));
  fs::path peft = copied("bert-lora"), adapterhub = copied("bert-seq-bn");

  ~Folders() { fs::remove_all(root); }
  fs::path copied(const char* name) const {
    fs::create_directories(root);
    fs::copy(golden / name, root / name, fs::copy_options::overwrite_existing);
    return root / name;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const Folders folders;
  if (size == 0) return 0;
  const fs::path& folder = data[0] % 2 == 0 ? folders.peft : folders.adapterhub;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::ofstream(folder / "adapter_config.json", std::ios::binary) << text;
  try {
    inlay::load_adapter(folder, folders.model->facts());
  } catch (const inlay::Error&) {
  }
  return 0;
}
