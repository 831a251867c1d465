// Invertible adapters: what they do to the embeddings, the way to a tied output embedding undoes,
// in closed form, at gates between 0 and 1, in compositions, and in training on hidden tokens.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "adapters/invertible_hook.h"
#include "adapters/storage.h"
#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "formats/safetensors.h"
#include "models/model.h"
#include "nn/initializers.h"
#include "nn/modules.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOne = "bottleneck[preset=seq_bn_inv,reduction_factor=8]";

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.count(); ++i)
    largest = std::max(largest, std::fabs(in(a).load<double>(i) - in(b).load<double>(i)));
  return largest;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.byte_count()) == 0;
}

// Far from the identity: every parameter is drawn.
std::unique_ptr<Adapter> drawn_adapter(const BaseFacts& base, const std::string& method,
                                       DType dtype) {
  auto adapter = Adapter::create("drawn", parse_method(method), base, 3);
  for (Adapter::Entry& entry : adapter->entries()) {
    Stream stream(11, "invertible/" + entry.parameter.name());
    entry.parameter.set_value(normal_init(entry.parameter.shape(), 0.3f, stream));
  }
  adapter->convert(dtype);
  return adapter;
}

class Invertible : public testing::TestWithParam<DType> {
 protected:
  Invertible()
      : model_(
            load_model(source_dir() / "tests/golden/models/bert-masked-lm", {.masked_lm = true})),
        context_(GetParam()) {
    context_.tape.set_recording(false);
    context_.begin_forward();
    for (const Site* site : model_->sites()) {
      if (site->kind == SiteKind::kHidden && site->role == SiteRole::kEmbeddingOutput)
        embeddings_.site = *site;
    }
    for (std::size_t i = 0; i < 3; ++i) {
      for (int32_t t = 0; t < 4; ++t)
        sequences_.at(i).ids.push_back(5 + t + static_cast<int32_t>(i));
      pointers_.push_back(&sequences_.at(i));
    }
    batch_ = make_token_batch(pointers_, {});
    Tensor x =
        normal_init({batch_.tokens.rows(), embeddings_.site.out}, 1.0f, Stream(5, "invertible/x"));
    x_ = context_.tape.constant(x.to(GetParam()), &batch_.tokens);
  }

  void activate(const std::string& method, float gate = 1) {
    adapter_ = drawn_adapter(model_->facts(), method, GetParam());
    context_.adapters = {{.hooks = adapter_.get(), .gate = gate}};
  }
  Variable there(const Variable& x) { return hidden_site(context_, embeddings_, x); }
  Variable back(const Variable& h) { return inverse_site(context_, embeddings_, h); }
  double tolerance() const { return GetParam() == DType::kF64 ? 1e-12 : 1e-5; }

  std::shared_ptr<const Model> model_;
  Context context_;
  HiddenSite embeddings_;
  std::array<TokenSequence, 3> sequences_;
  std::vector<const TokenSequence*> pointers_;
  TokenBatch batch_;
  Variable x_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_P(Invertible, TheInverseOfWhatItGivesIsWhatItTookIn) {
  for (const char* method :
       {kOne, "bottleneck[preset=double_seq_bn_inv,inv_adapter_reduction_factor=4]",
        "stack(bottleneck[preset=seq_bn_inv], bottleneck[preset=double_seq_bn_inv])",
        "bottleneck[preset=seq_bn_inv]|bottleneck[preset=seq_bn_inv]",
        "split(bottleneck[preset=seq_bn_inv]:2, bottleneck[preset=seq_bn_inv])",
        "split(lora[r=2]:2, bottleneck[preset=seq_bn_inv])",
        "drop(bottleneck[preset=seq_bn_inv], 1)"}) {
    activate(method);
    Variable h = there(x_);
    EXPECT_GT(largest_difference(h.value(), x_.value()), 0.1) << method;
    EXPECT_LT(largest_difference(back(h).value(), x_.value()), tolerance()) << method;
    EXPECT_LT(largest_difference(there(back(x_)).value(), x_.value()), tolerance()) << method;
  }
}

TEST_P(Invertible, AdaptersOneAfterTheOtherAreTakenBackFromTheLast) {
  auto first = drawn_adapter(model_->facts(), kOne, GetParam());
  auto second = drawn_adapter(model_->facts(), "bottleneck[preset=double_seq_bn_inv]", GetParam());
  context_.adapters = {{.hooks = first.get()}, {.hooks = second.get()}};
  EXPECT_LT(largest_difference(back(there(x_)).value(), x_.value()), tolerance());
  std::swap(context_.adapters[0], context_.adapters[1]);
  Variable swapped = there(x_);
  std::swap(context_.adapters[0], context_.adapters[1]);
  EXPECT_GT(largest_difference(back(swapped).value(), x_.value()), 1e-3);
}

TEST_P(Invertible, SegmentsHaveTheirOwn) {
  activate(kOne);
  Tensor adapted = there(x_).value();
  context_.segments = {{0, 1, {}}, {1, 3, context_.adapters}};
  Variable h = there(x_);
  EXPECT_TRUE(same_bits(h.value().rows(0, 4), x_.value().rows(0, 4)));
  EXPECT_TRUE(same_bits(h.value().rows(4, 12), adapted.rows(4, 12)));
  Variable x = back(h);
  EXPECT_TRUE(same_bits(x.value().rows(0, 4), x_.value().rows(0, 4)));
  EXPECT_LT(largest_difference(x.value(), x_.value()), tolerance());
}

// h + gate (inverse(h) - h): the base at 0, bit by bit, and the inverse at 1.
TEST_P(Invertible, AGateBlendsTheInverseWithTheBase) {
  activate(kOne);
  Tensor inverse = back(x_).value().clone();
  activate(kOne, 0);
  EXPECT_TRUE(same_bits(back(x_).value(), x_.value()));
  EXPECT_TRUE(same_bits(there(x_).value(), x_.value()));
  activate(kOne, 0.3f);
  Tensor blended = back(x_).value();
  for (int64_t i = 0; i < blended.count(); ++i) {
    double x = in(x_.value()).load<double>(i), full = in(inverse).load<double>(i);
    EXPECT_NEAR(in(blended).load<double>(i), x + double{0.3f} * (full - x), tolerance()) << i;
  }
}

TEST_P(Invertible, AnOddNumberOfChannelsIsCutBelowItsMiddle) {
  constexpr int64_t kChannels = 5, kFirst = 2, kLast = 3, kSize = 4;
  auto drawn = [](const std::string& name, const Shape& shape) {
    return Parameter(name, normal_init(shape, 0.5f, Stream(9, name)).to(GetParam()));
  };
  std::array<Parameter, 8> p = {drawn("F.0.weight", {kSize, kLast}),  drawn("F.0.bias", {kSize}),
                                drawn("F.2.weight", {kFirst, kSize}), drawn("F.2.bias", {kFirst}),
                                drawn("G.0.weight", {kSize, kFirst}), drawn("G.0.bias", {kSize}),
                                drawn("G.2.weight", {kLast, kSize}),  drawn("G.2.bias", {kLast})};
  auto hook = make_invertible_hook({p[0], p[1], p[2], p[3]}, {p[4], p[5], p[6], p[7]},
                                   Activation::kRelu, kChannels);
  Tensor numbers = normal_init({12, kChannels}, 1.0f, Stream(5, "odd")).to(GetParam());
  Variable x = context_.tape.constant(numbers, &batch_.tokens);
  Variable added = hook->hidden(context_, {Variable(), x, Variable(), nullptr});
  Variable again = hook->inverse(context_, add(context_, x, added));
  EXPECT_LT(largest_difference(again.value(), numbers), tolerance());
}

INSTANTIATE_TEST_SUITE_P(Types, Invertible, testing::Values(DType::kF64, DType::kF32),
                         [](const auto& info) { return std::string(dtype_name(info.param)); });

class InvertibleRules : public testing::Test {
 protected:
  InvertibleRules() : model_(load_model(source_dir() / "tests/golden/models/bert-masked-lm")) {}

  std::string refusal(const std::string& method) const {
    try {
      Adapter::create("refused", parse_method(method), model_->facts(), 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  std::shared_ptr<const Model> model_;
};

TEST_F(InvertibleRules, WhatHasNoInverseIsRefusedByName) {
  EXPECT_NE(refusal("bottleneck[inv_adapter=glow]").find("glow"), std::string::npos);
  EXPECT_NE(refusal("bottleneck[inv_adapter_reduction_factor=4]").find("inv_adapter is none"),
            std::string::npos);
  EXPECT_NE(refusal("bottleneck[preset=seq_bn_inv,inv_adapter_reduction_factor=0]")
                .find("inv_adapter_reduction_factor is 0"),
            std::string::npos);
  EXPECT_NE(refusal("fuse(bottleneck[preset=seq_bn_inv], bottleneck[preset=seq_bn_inv])")
                .find("fuse cannot take back what it mixes"),
            std::string::npos);
}

TEST_F(InvertibleRules, AZeroUpProjectionStartsAsTheIdentity) {
  EXPECT_FALSE(parse_method(kOne).method->identity_at_start());
  EXPECT_TRUE(parse_method("bottleneck[preset=seq_bn_inv,init_weights=mam_adapter]")
                  .method->identity_at_start());
}

TEST_F(InvertibleRules, IsKeptAsAdapterHubKeepsIt) {
  auto adapter = drawn_adapter(model_->facts(), kOne, DType::kF32);
  fs::path folder = fs::path(testing::TempDir()) / fmt::format("inlay_invertible_{}", ::getpid());
  save_adapter(folder, {adapter.get(), nullptr, {}}, model_->facts());
  Json config = read_json(folder / "adapter_config.json");
  EXPECT_EQ(config.at("config").at("inv_adapter"), "nice");
  EXPECT_EQ(config.at("config").at("inv_adapter_reduction_factor"), 2);
  SafetensorsFile file = SafetensorsFile::open(folder / "adapter.safetensors");
  for (const char* part : {"F.0.weight", "F.0.bias", "F.2.weight", "F.2.bias", "G.0.weight"})
    EXPECT_TRUE(file.contains(fmt::format("bert.invertible_adapters.drawn.{}", part))) << part;
  LoadedAdapter loaded = load_adapter(folder, model_->facts());
  EXPECT_EQ(adapter_hash(loaded.adapter.get(), nullptr), adapter_hash(adapter.get(), nullptr));
  config["config"]["inv_adapter"] = "glow";
  write_file_atomically(folder / "adapter_config.json", config.dump());
  try {
    load_adapter(folder, model_->facts());
    ADD_FAILURE() << "an adapter of another kind was read";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("\"inv_adapter\" is \"glow\""), std::string::npos);
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace inlay
