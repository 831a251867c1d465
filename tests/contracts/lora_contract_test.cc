// What the variants of LoRA promise beyond what every method does: merging, files that hold for the
// unchanged base, starts, and how they train.
#include <gtest/gtest.h>
#include <unistd.h>

#include <Eigen/QR>
#include <Eigen/SVD>
#include <cmath>
#include <filesystem>

#include "adapters/method_training.h"
#include "adapters/storage.h"
#include "autograd/operands.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "formats/safetensors.h"
#include "models/model.h"
#include "nn/modules.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using Matrix = Eigen::MatrixXd;

const Model& tiny() {
  static std::shared_ptr<const Model> model =
      load_model(source_dir() / "tests/golden/models/bert-single-label");
  return *model;
}

Matrix wide(const Tensor& tensor) { return const_matrix<double>(tensor.to(DType::kF64)); }

std::unique_ptr<Adapter> make(const std::string& method, uint64_t seed = 3) {
  return Adapter::create("a", parse_method(method), tiny().facts(), seed);
}

void move(Adapter& adapter, const std::string& stream) {
  for (Adapter::Entry& entry : adapter.entries()) {
    if (!entry.trained) continue;
    Stream numbers(5, stream + entry.parameter.name());
    Tensor moved = entry.parameter.value().clone();
    for (int64_t i = 0; i < moved.count(); ++i)
      moved.mutable_data<float>()[i] += 0.05f * numbers.normal(static_cast<uint64_t>(i));
    entry.parameter.set_value(std::move(moved));
  }
}

const Tensor& value(const Adapter& adapter, const std::string& name) {
  for (const Adapter::Entry& entry : adapter.entries()) {
    if (entry.parameter.name() == name) return entry.parameter.value();
  }
  throw std::out_of_range(name);
}

TEST(LoraContract, Trap3TwoDorasGiveMergedWhatTheyGiveInTheirOrder) {
  auto first = make("lora[r=4,use_dora=true]", 3), second = make("lora[r=3,use_dora=true]", 4);
  auto plain = make("lora[r=2,lora_bias=true]", 5);
  for (Adapter* adapter : {first.get(), second.get(), plain.get()}) {
    move(*adapter, adapter == first.get() ? "first" : "other");
    adapter->convert(DType::kF64);
  }
  const std::vector<std::vector<Adapter*>> orders = {{first.get(), second.get()},
                                                     {second.get(), first.get()},
                                                     {plain.get(), first.get(), second.get()}};
  RowSpace rows{.example_offsets = {0, 5},
                .chunk_offsets = {0, 5},
                .example_place = {0, 0, 0, 0, 0},
                .token_position = {0, 1, 2, 3, 4}};
  for (const std::vector<Adapter*>& order : orders) {
    for (const Site* site : first->sites()) {
      MergedTensors merged{site->weight.to(DType::kF64), site->bias.to(DType::kF64)};
      Context context(DType::kF64);
      context.tape.set_recording(false);
      context.begin_forward();
      Stream numbers(7, site->name);
      Tensor x = Tensor::empty({5, site->in}, DType::kF64);
      for (int64_t i = 0; i < x.count(); ++i)
        out(x).store(i, numbers.normal(static_cast<uint64_t>(i)));
      Variable input = context.tape.constant(x, &rows);
      for (Adapter* adapter : order) {
        ASSERT_TRUE(adapter->at(site->index)->merge(merged));
        context.adapters.push_back({.hooks = adapter});
      }
      LinearSite layer{*site,
                       FrozenWeight(site->weight, site->bias, onednn::Layout::kOutIn, nullptr)};
      Matrix unmerged = wide(linear_site(context, layer, input, Precision::kFull).value());
      Matrix whole =
          (wide(x) * wide(merged.weight).transpose()).rowwise() + wide(merged.bias).row(0);
      EXPECT_LT((unmerged - whole).norm(), 1e-5 * whole.norm()) << site->name;
    }
  }
}

TEST(LoraContract, Trap9StartsThatMoveTheBaseAreKeptAsPlainLoraForTheBaseAsItIs) {
  fs::path folder = fs::path(testing::TempDir()) / ("lora_contract_" + std::to_string(::getpid()));
  for (const char* start : {"pissa", "olora", "lora_ga"}) {
    for (bool rs : {false, true}) {
      std::string text = std::string("lora[r=3,alpha=6,init_lora_weights=") + start +
                         ",use_rslora=" + (rs ? "true]" : "false]");
      auto adapter = make(text);
      move(*adapter, "trained");
      save_adapter(folder, {adapter.get(), nullptr, {}}, tiny().facts());
      Json config = read_json(folder / "adapter_config.json");
      EXPECT_EQ(config.at("r"), 6);
      EXPECT_NEAR(config.at("lora_alpha").get<double>(), rs ? 6 * std::sqrt(2.0) : 12.0, 1e-12);
      EXPECT_EQ(config.at("init_lora_weights"), true);
      SafetensorsFile file = SafetensorsFile::open(folder / "adapter_model.safetensors");
      EXPECT_EQ(file.names().size(), 2 * adapter->sites().size());
      double scale = rs ? 6 / std::sqrt(3.0) : 2.0;
      double kept = config.at("lora_alpha").get<double>() / (rs ? std::sqrt(6.0) : 6.0);
      for (const Site* site : adapter->sites()) {
        auto of = [&](const char* part) { return wide(value(*adapter, site->name + part)); };
        Matrix update =
            scale * (of(".lora_B.weight") * of(".lora_A.weight") - of(".lora_B0") * of(".lora_A0"));
        std::string key = "base_model.model." + site->name;
        Matrix plain = kept * wide(file.tensor(key + ".lora_B.weight")) *
                       wide(file.tensor(key + ".lora_A.weight"));
        EXPECT_LT((plain - update).norm(), 1e-5 * update.norm()) << text << " " << site->name;
      }
    }
  }
  fs::remove_all(folder);
}

TEST(LoraContract, PissaStartsFromTheBestApproximation) {
  for (const char* text : {"lora[r=4,alpha=8,init_lora_weights=pissa]",
                           "lora[r=4,alpha=8,init_lora_weights=pissa,pissa_niter=16]"}) {
    auto adapter = make(text);
    for (const Site* site : adapter->sites()) {
      Matrix a = wide(value(*adapter, site->name + ".lora_A.weight"));
      Matrix b = wide(value(*adapter, site->name + ".lora_B.weight"));
      Matrix weight = wide(site->weight);
      Eigen::JacobiSVD<Matrix> svd(weight, Eigen::ComputeThinU | Eigen::ComputeThinV);
      double rest = svd.singularValues().tail(svd.singularValues().size() - 4).norm();
      bool exact = std::string(text).find("niter") == std::string::npos;
      EXPECT_NEAR((weight - 2.0 * b * a).norm(), rest, (exact ? 1e-5 : 1e-2) * rest) << site->name;
      // The singular values are shared evenly.
      EXPECT_NEAR(a.norm(), b.norm(), 1e-5 * a.norm());
    }
  }
}

TEST(LoraContract, OloraStartsFromTheFirstStepsOfAQrDecomposition) {
  auto adapter = make("lora[r=4,init_lora_weights=olora]");
  for (const Site* site : adapter->sites()) {
    Matrix a = wide(value(*adapter, site->name + ".lora_A.weight"));
    Matrix b = wide(value(*adapter, site->name + ".lora_B.weight"));
    EXPECT_LT((b.transpose() * b - Matrix::Identity(4, 4)).norm(), 1e-5);
    // Q_r R_r is what of W lies in the span of its first r columns.
    Matrix weight = wide(site->weight);
    Matrix expected = b * (b.transpose() * weight);
    EXPECT_LT((b * a - expected).norm(), 1e-5 * expected.norm());
    EXPECT_LT((b * a - weight).leftCols(4).norm(), 1e-5 * weight.norm());
  }
}

TEST(LoraContract, OrthogonalFactorsHaveAProductOfZero) {
  auto adapter = make("lora[r=4,init_lora_weights=orthogonal]");
  for (const Site* site : adapter->sites()) {
    Matrix a = wide(value(*adapter, site->name + ".lora_A.weight"));
    Matrix b = wide(value(*adapter, site->name + ".lora_B.weight"));
    EXPECT_GT(a.norm() * b.norm(), 0.1);
    EXPECT_LT((b * a).norm(), 1e-6 * a.norm() * b.norm());
  }
}

TEST(LoraContract, LoraFaCorrectsTheGradientOfBAndLoraPlusItsRate) {
  auto adapter = make("lora[r=3,alpha=6,lora_fa=true,loraplus_lr_ratio=8]");
  auto training = adapter->method().training(*adapter);
  ASSERT_NE(training, nullptr);
  for (Adapter::Entry& entry : adapter->entries()) {
    EXPECT_EQ(entry.trained, entry.part == "lora_B.weight");
    EXPECT_EQ(training->rate_factor(entry), entry.trained ? 8.0 : 1.0);
    if (!entry.trained) continue;
    Tensor gradient = Tensor::empty(entry.parameter.shape(), DType::kF32);
    Stream numbers(9, entry.parameter.name());
    for (int64_t i = 0; i < gradient.count(); ++i)
      out(gradient).store(i, numbers.normal(static_cast<uint64_t>(i)));
    Matrix before = wide(gradient);
    training->transform(entry, gradient);
    Matrix a = wide(value(*adapter, entry.site->name + ".lora_A.weight"));
    // g' s^2 (A A^T + 1e-8 I) = g, with s = 2.
    Matrix back = 4.0 * wide(gradient) * (a * a.transpose() + 1e-8 * Matrix::Identity(3, 3));
    EXPECT_LT((back - before).norm(), 1e-5 * before.norm());
  }
}

// PEFT, and merged weights, would give an update of one scale for all texts.
TEST(LoraContract, AGatedUpdateIsKeptInOurOwnFormatAndNotMerged) {
  auto adapter = make("lora[r=4,alpha=2,use_gating=true,target_modules=]");
  EXPECT_EQ(adapter->sites().size(), 4u);  // query and value of two layers
  move(*adapter, "gated");
  for (const Site* site : adapter->sites()) {
    MergedTensors merged{site->weight.to(DType::kF64), site->bias.to(DType::kF64)};
    EXPECT_FALSE(adapter->at(site->index)->merge(merged));
  }
  fs::path folder = fs::path(testing::TempDir()) / ("lora_gated_" + std::to_string(::getpid()));
  save_adapter(folder, {adapter.get(), nullptr, {}}, tiny().facts());
  EXPECT_FALSE(read_json(folder / "adapter_config.json").contains("peft_type"));
  LoadedAdapter loaded = load_adapter(folder, tiny().facts());
  EXPECT_EQ(adapter_hash(loaded.adapter.get(), nullptr), adapter_hash(adapter.get(), nullptr));
  fs::remove_all(folder);
}

TEST(LoraContract, SettingsThatExcludeEachOtherAreRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"lora[use_dora=true,lora_bias=true]", "lora_bias and use_dora"},
      {"lora[r=4,use_dora=true,init_lora_weights=pissa]", "use_dora"},
      {"lora[r=4,lora_bias=true,init_lora_weights=olora]", "lora_bias"},
      {"lora[use_gating=true,use_dora=true]", "use_gating and use_dora"},
      {"lora[use_gating=true,use_rslora=true]", "use_rslora"},
      {"lora[use_gating=true,alpha_pattern=query:4]", "alpha_pattern"},
      {"lora[use_gating=true,lora_fa=true]", "lora_fa"},
      {"lora[use_gating=true,init_lora_weights=eva]", "init_lora_weights=eva"},
      {"lora[pissa_niter=2]", "pissa_niter"},
      {"lora[r=3,init_lora_weights=orthogonal]", "even"},
      {"lora[r=20,init_lora_weights=pissa]", "r <= 16"},
      {"lora[loraplus_lr_ratio=0]", "loraplus_lr_ratio"},
      {"adalora[init_r=4,target_r=5]", "target_r"},
      {"adalora[beta1=1]", "beta1"},
      {"vera[d_initial=0]", "d_initial"},
      {"vera[projection_prng_key=-1]", "projection_prng_key"},
  };
  for (auto [text, expected] : cases) {
    try {
      make(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace inlay
