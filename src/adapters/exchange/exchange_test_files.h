// What the tests of exchange/ share: tiny adapters in files, and comparisons of folders.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adapters/exchange/convert.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/tensor_pile.h"
#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/source_dir.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"

namespace inlay::exchange {

namespace fs = std::filesystem;

// A folder of the test's own, empty at first and gone at its end.
class Workshop {
 public:
  Workshop() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              fmt::format("inlay_{}_{}_{}", test->test_suite_name(), test->name(), ::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Workshop() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

inline fs::path golden(const std::string& name) {
  return source_dir() / "tests/golden/exchange" / name;
}

inline BaseShape tiny_llama() { return read_base_shape(golden("llama")); }

inline Tensor random_tensor(const Shape& shape, const std::string& name) {
  Stream stream(7, name);
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = stream.normal(static_cast<uint64_t>(i));
  return tensor;
}

// Writes the tensors of PEFT's LoRA for the modules, each of 8 inputs and 8 outputs.
struct TinyPeft {
  std::vector<std::string> modules = {
      "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj",
      "model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.v_proj"};
  Json config = {{"peft_type", "LORA"},
                 {"task_type", "CAUSAL_LM"},
                 {"r", 2},
                 {"lora_alpha", 4},
                 {"target_modules", {"q_proj", "v_proj"}}};
  std::map<std::string, int64_t> ranks;  // where not config's
  std::map<std::string, Tensor> more;    // tensors besides, which also replace

  std::map<std::string, Tensor> tensors() const {
    std::map<std::string, Tensor> all;
    for (const std::string& module : modules) {
      auto found = ranks.find(module);
      int64_t rank = found == ranks.end() ? config.at("r").get<int64_t>() : found->second;
      std::string stem = "base_model.model." + module;
      all[stem + ".lora_A.weight"] = random_tensor({rank, 8}, module + "A");
      all[stem + ".lora_B.weight"] = random_tensor({8, rank}, module + "B");
    }
    for (const auto& [name, tensor] : more) all[name] = tensor;
    return all;
  }
  fs::path write(const fs::path& folder) const {
    std::vector<NamedTensor> named;
    for (const auto& [name, tensor] : tensors()) named.push_back({name, tensor});
    fs::create_directories(folder);
    write_safetensors(folder / "adapter_model.safetensors", named, {{"format", "pt"}});
    write_config(folder, config);
    return folder;
  }
};

// The tensors of the first file with tensors in a folder.
inline std::map<std::string, Tensor> tensors_in(const fs::path& folder) {
  TensorPile pile = TensorPile::open_first(
      folder, {"adapter_model.safetensors", "adapters.safetensors", "adapter.safetensors",
               "adapter_model.pt", "pytorch_adapter.bin"});
  std::map<std::string, Tensor> tensors;
  for (const std::string& name : pile.names()) tensors[name] = pile.take(name);
  return tensors;
}

inline void expect_same_tensors(const std::map<std::string, Tensor>& found,
                                const std::map<std::string, Tensor>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    auto here = found.find(name);
    ASSERT_NE(here, found.end()) << name;
    ASSERT_EQ(here->second.shape(), tensor.shape()) << name;
    ASSERT_EQ(here->second.dtype(), tensor.dtype()) << name;
    EXPECT_EQ(std::memcmp(here->second.raw(), tensor.raw(), tensor.byte_count()), 0) << name;
  }
}

inline Json config_in(const fs::path& folder) { return read_json(folder / "adapter_config.json"); }

// s B A of each module, in float64.
inline std::map<std::string, std::vector<double>> products_in(const fs::path& folder,
                                                              const BaseShape& base) {
  Source source{
      .folder = folder, .config = config_in(folder), .where = folder.string(), .base = base};
  FileFormat format = detect_format(folder);
  LoraAdapter adapter = format == FileFormat::kPeft         ? read_peft(source)
                        : format == FileFormat::kAdapterHub ? read_adapterhub(source)
                        : format == FileFormat::kMlx        ? read_mlx(source)
                                                            : read_torchtune(source);
  std::map<std::string, std::vector<double>> products;
  for (const LoraModule& module : adapter.modules) {
    Tensor a = module.a.to(DType::kF64), b = module.b.to(DType::kF64);
    std::vector<double>& product = products[module.name];
    for (int64_t i = 0; i < module.out(); ++i) {
      for (int64_t j = 0; j < module.in(); ++j) {
        double sum = 0;
        for (int64_t k = 0; k < module.rank(); ++k)
          sum += module.scale * b.data<double>()[i * module.rank() + k] *
                 a.data<double>()[k * module.in() + j];
        product.push_back(sum);
      }
    }
  }
  return products;
}

inline void expect_error(const std::function<void()>& call, const std::vector<std::string>& parts) {
  try {
    call();
    ADD_FAILURE() << "no error; expected: " << parts.front();
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

}  // namespace inlay::exchange
