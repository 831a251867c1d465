// Any bytes either are a config or raise an Error, and so does every typed read of it.
#include "base/error.h"
#include "formats/model_config.h"

namespace {

template <class Read>
void attempt(Read read) {
  try {
    read();
  } catch (const inlay::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  attempt([&] {
    auto config = inlay::ModelConfig::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
    for (const char* key : {"hidden_size", "model_type", "a", "id2label"}) {
      attempt([&] { config.integer(key, 1, 1 << 20); });
      attempt([&] { config.number(key, 0, 1); });
      attempt([&] { config.boolean_or(key, false); });
      attempt([&] { config.text(key); });
    }
    attempt([&] { config.labels(); });
  });
  return 0;
}
