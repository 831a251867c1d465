// Conversions of what Inlay itself saves, onto the base and without it.
#include <gtest/gtest.h>
#include <unistd.h>

#include "adapters/exchange/convert.h"
#include "adapters/storage.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "formats/safetensors.h"
#include "models/model.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using exchange::FileFormat;
using Matrix = Eigen::MatrixXd;

const Model& tiny() {
  static std::shared_ptr<const Model> model =
      load_model(source_dir() / "tests/golden/models/bert-single-label");
  return *model;
}

class Conversions : public testing::Test {
 protected:
  Conversions()
      : folder_(fs::temp_directory_path() /
                fmt::format("inlay_{}_{}",
                            testing::UnitTest::GetInstance()->current_test_info()->name(),
                            ::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Conversions() override { fs::remove_all(folder_); }

  fs::path folder_;
};

Matrix wide(const Tensor& tensor) { return const_matrix<double>(tensor.to(DType::kF64)); }

// alpha / r B A of a PEFT folder, for each module.
std::map<std::string, Matrix> products(const fs::path& folder) {
  Json config = read_json(folder / "adapter_config.json");
  double scale = config.at("lora_alpha").get<double>() / config.at("r").get<double>();
  SafetensorsFile file = SafetensorsFile::open(folder / "adapter_model.safetensors");
  std::map<std::string, Matrix> found;
  for (const std::string& name : file.names()) {
    std::size_t end = name.find(".lora_A.weight");
    if (end == std::string::npos) continue;
    std::string module = name.substr(0, end);
    found[module] = scale * wide(file.tensor(module + ".lora_B.weight")) * wide(file.tensor(name));
  }
  return found;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The same folder as of a decoder, whose modules go by other names.
void name_as_decoder(const fs::path& from, const fs::path& to) {
  SafetensorsFile file = SafetensorsFile::open(from / "adapter_model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const std::string& name : file.names()) {
    std::string renamed = replaced(name, "encoder.layer", "model.layers");
    renamed = replaced(renamed, "attention.self.query", "self_attn.q_proj");
    renamed = replaced(renamed, "attention.self.value", "self_attn.v_proj");
    tensors.push_back({renamed, file.tensor(name)});
  }
  fs::create_directories(to);
  write_safetensors(to / "adapter_model.safetensors", tensors, {{"format", "pt"}});
  Json config = read_json(from / "adapter_config.json");
  config["target_modules"] = {"q_proj", "v_proj"};
  config["task_type"] = "CAUSAL_LM";
  write_file_atomically(to / "adapter_config.json", config.dump());
}

TEST_F(Conversions, Trap9StartsThatMoveTheBaseGoEverywhereAsPlainLoraOfTwiceTheRank) {
  for (const char* start : {"pissa", "olora"}) {
    SCOPED_TRACE(start);
    std::string method =
        fmt::format("lora[r=3,alpha=6,target_modules=query+value,init_lora_weights={}]", start);
    auto adapter = Adapter::create("a", parse_method(method), tiny().facts(), 3);
    for (Adapter::Entry& entry : adapter->entries()) {
      if (!entry.trained) continue;
      Tensor moved = entry.parameter.value().clone();
      moved.mutable_data<float>()[0] += 0.25f;
      entry.parameter.set_value(std::move(moved));
    }
    fs::path saved = folder_ / start / "saved", decoder = folder_ / start / "decoder";
    save_adapter(saved, {adapter.get(), nullptr, {}}, tiny().facts());
    name_as_decoder(saved, decoder);
    std::map<std::string, Matrix> expected = products(decoder);
    ASSERT_EQ(expected.size(), 4u);
    exchange::BaseShape base{.model_type = "llama", .heads = 4, .kv_heads = 4};
    for (FileFormat to :
         {FileFormat::kPeft, FileFormat::kAdapterHub, FileFormat::kMlx, FileFormat::kTorchtune}) {
      std::string name = exchange::file_format_name(to);
      SCOPED_TRACE(name);
      fs::path there = folder_ / start / name, back = folder_ / start / (name + "-back");
      exchange::Conversion done =
          exchange::convert_adapter(decoder, to, there, {.base = base, .name = "a"});
      EXPECT_EQ(done.rank, 6);
      EXPECT_EQ(done.scale, 2.0);
      exchange::convert_adapter(there, FileFormat::kPeft, back, {.base = base});
      std::map<std::string, Matrix> found = products(back);
      ASSERT_EQ(found.size(), expected.size());
      for (const auto& [module, product] : expected) EXPECT_EQ(found.at(module), product) << module;
    }
  }
}

// What is trained here and converted on files alone is what AdapterHub's reader makes of it.
TEST_F(Conversions, LoraConvertedOnFilesIsReadOntoTheBase) {
  auto adapter = Adapter::create("a", parse_method("lora[r=2,alpha=6,target_modules=query+value]"),
                                 tiny().facts(), 3);
  save_adapter(folder_ / "peft", {adapter.get(), nullptr, {}}, tiny().facts());
  exchange::convert_adapter(folder_ / "peft", FileFormat::kAdapterHub, folder_ / "hub",
                            {.base = {.model_type = "bert"}});
  LoadedAdapter loaded = load_adapter(folder_ / "hub", tiny().facts());
  EXPECT_EQ(adapter_hash(loaded.adapter.get(), nullptr), adapter_hash(adapter.get(), nullptr));
  EXPECT_EQ(loaded.adapter->config().at("alpha"), 6);
}

// As tensors under AdapterHub's names, a gate beside each part; a LoRA there has no PEFT form.
TEST_F(Conversions, GatedMethodsGoToAdapterHubAndBack) {
  for (const char* method : {"lora[r=2,target_modules=query+value,use_gating=true]", "unipelt"}) {
    SCOPED_TRACE(method);
    auto adapter = Adapter::create("a", parse_method(method), tiny().facts(), 3);
    AdapterBundle bundle{adapter.get(), nullptr, {}};
    fs::path folder = folder_ / adapter->info().name;
    save_adapter_as(AdapterFormat::kAdapterHub, folder, bundle, tiny().facts());
    SafetensorsFile file = SafetensorsFile::open(folder / "adapter.safetensors");
    EXPECT_TRUE(file.contains("bert.encoder.layer.0.attention.self.query.loras.a.gate.weight"));
    LoadedAdapter loaded = load_adapter(folder, tiny().facts());
    std::size_t same = 0;
    for (Adapter::Entry& entry : adapter->entries()) {
      for (Adapter::Entry& other : loaded.adapter->entries()) {
        if (other.parameter.name() != entry.parameter.name()) continue;
        EXPECT_EQ(wide(other.parameter.value()), wide(entry.parameter.value()));
        ++same;
      }
    }
    EXPECT_EQ(same, adapter->entries().size());
    EXPECT_THROW(save_adapter_as(AdapterFormat::kPeft, folder_ / "peft", bundle, tiny().facts()),
                 Error);
  }
}

}  // namespace
}  // namespace inlay
