// Any bytes either are a GGUF file or raise an Error; what is accepted can be read: metadata as any
// type, as a configuration and as a tokenizer, tensors as elements or as blocks.
#include "formats/gguf.h"

#include "base/error.h"
#include "formats/gguf_checkpoint.h"
#include "models/gguf_tokenizer.h"

namespace {

template <class T>
void read_as(const inlay::GgufMetadata& metadata, const std::string& key) {
  try {
    metadata.get<T>(key);
  } catch (const inlay::Error&) {
  }
}

void read_model(const inlay::GgufFile& file) {
  try {
    inlay::read_gguf_config(file);
  } catch (const inlay::Error&) {
  }
  try {
    std::string lack;
    inlay::gguf_tokenizer(file.metadata(), lack);
  } catch (const inlay::Error&) {
  }
}

void read_tensor(const inlay::GgufFile& file, const inlay::GgufTensorInfo& info) {
  try {
    if (info.type->format) {
      file.quantised(info.name).dequantised(inlay::DType::kF32);
    } else {
      file.tensor(info.name).clone();
    }
  } catch (const inlay::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    auto file =
        inlay::GgufFile::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    for (const auto& entry : file.metadata().entries()) {
      read_as<bool>(file.metadata(), entry.key);
      read_as<int64_t>(file.metadata(), entry.key);
      read_as<std::string>(file.metadata(), entry.key);
      read_as<std::vector<bool>>(file.metadata(), entry.key);
      read_as<std::vector<int64_t>>(file.metadata(), entry.key);
      read_as<std::vector<double>>(file.metadata(), entry.key);
      read_as<std::vector<std::string>>(file.metadata(), entry.key);
    }
    read_model(file);
    for (const auto& info : file.tensors()) read_tensor(file, info);
  } catch (const inlay::Error&) {
  }
  return 0;
}
