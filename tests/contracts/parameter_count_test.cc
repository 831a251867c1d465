// How many numbers each method trains, by the closed form that its paper gives, summed over the
// places that it adapts on a tiny BERT or ViT.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "adapters/adapter.h"
#include "base/source_dir.h"
#include "models/model.h"

namespace inlay {
namespace {

using Count = std::function<int64_t(const Site&)>;

struct Case {
  const char* method;
  Count at;            // of one place
  int64_t shared = 0;  // of the adapter as a whole
};

Count low_rank(int64_t r) {
  return [r](const Site& s) { return r * (s.in + s.out); };
}
Count bottleneck(int64_t factor) {
  return [factor](const Site& s) {
    int64_t size = s.out / factor;
    return 2 * size * s.out + size + s.out;
  };
}

std::vector<Case> cases() {
  constexpr int64_t kHidden = 32, kLayers = 2;
  // R and W of rank 3 and a bias, for the first tokens; without suffix_positions there are no
  // others.
  auto reft = [](const Site& s) { return 3 * s.out + 3 * s.out + 3; };
  return {
      {"lora[r=4]", low_rank(4)},
      {"lora[r=4,use_dora=true]", [](const Site& s) { return 4 * (s.in + s.out) + s.out; }},
      {"lora[r=4,lora_bias=true]", [](const Site& s) { return 4 * (s.in + s.out) + s.out; }},
      {"lora[r=4,use_gating=true]", [](const Site& s) { return low_rank(4)(s) + s.in + 1; }},
      {"lora[r=4,lora_fa=true]", [](const Site& s) { return 4 * s.out; }},
      {"adalora[init_r=4,target_r=2]", [](const Site& s) { return 4 * (s.in + s.out + 1); }},
      {"vera[r=16]", [](const Site& s) { return 16 + s.out; }},
      {"loha[r=3]", low_rank(6)},
      {"lokr[r=2,decompose_factor=2,target_modules=query]",
       [](const Site& s) { return 2 * 2 + 2 * (s.in / 2 + s.out / 2); }},
      {"oft[oft_block_size=8]", [](const Site& s) { return s.in * 7 / 2; }},
      {"hra[r=4]", [](const Site& s) { return 4 * s.in; }},
      {"miss[r=4]", [](const Site& s) { return 4 * s.out; }},
      {"shira[r=2]", low_rank(2)},
      {"c3a[block_size=8]", [](const Site& s) { return s.in * s.out / 8; }},
      {"fourierft[n_frequency=50]", [](const Site&) { return 50; }},
      {"randlora[r=8]",
       [](const Site& s) {
         int64_t small = std::min(s.in, s.out), bases = (small + 7) / 8;
         return 8 * bases + bases * small;
       }},
      {"vblora[r=2,num_vectors=12,vector_length=8]",
       [](const Site& s) { return 2 * 12 * (s.in + s.out) / 8; }, 12 * 8},
      {"ia3", [](const Site& s) { return s.role == SiteRole::kDown ? s.in : s.out; }},
      {"bottleneck[reduction_factor=8]", bottleneck(8)},
      {"bottleneck[preset=houlsby,reduction_factor=4]", bottleneck(4)},
      {"bottleneck[preset=parallel,use_gating=true]",
       [](const Site& s) { return bottleneck(2)(s) + s.out + 1; }},
      {"bottleneck[preset=seq_bn_inv,reduction_factor=8]",
       [](const Site& s) {
         bool embeddings = s.role == SiteRole::kEmbeddingOutput;
         int64_t half = s.out / 2, size = half / 2;
         return embeddings ? 2 * (2 * size * half + size + half) : bottleneck(8)(s);
       }},
      {"loreft[r=3]", reft},
      {"prompt_tuning[num_virtual_tokens=3]", [](const Site&) { return 0; }, 3 * kHidden},
      {"prefix_tuning[num_virtual_tokens=3,prefix_projection=false]", [](const Site&) { return 0; },
       3 * 2 * kLayers * kHidden},
      {"trainable_tokens[token_indices=5+40+7]", [](const Site& s) { return 3 * s.out; }},
      {"bitfit", [](const Site& s) { return s.bias.count(); }},
      {"ln_tuning", [](const Site& s) { return s.weight.count() + s.bias.count(); }},
      {"lora[r=4]|bottleneck[reduction_factor=8]",
       [](const Site& s) {
         return s.kind == SiteKind::kLinear ? low_rank(4)(s) : bottleneck(8)(s);
       }},
      {"unipelt",
       [](const Site& s) {
         if (s.kind == SiteKind::kAttention) return s.in + 1;
         int64_t plain = s.kind == SiteKind::kLinear ? low_rank(8)(s) : bottleneck(16)(s);
         return plain + s.in + 1;
       },
       10 * kHidden + 512 * (kHidden + 1) + 2 * kLayers * kHidden * (512 + 1)},
  };
}

// A tiny ViT of 16 channels.
std::vector<Case> cases_of_images() {
  return {{"adaptformer[bottleneck=4]", bottleneck(4)},
          {"vpt[tokens=3]", [](const Site& s) { return 3 * s.out; }},
          {"vpt[tokens=3,deep=true]", [](const Site& s) { return 3 * s.out; }},
          {"ssf", [](const Site& s) { return s.bias.defined() ? 2 * s.out : s.out; }},
          {"convpass[dim=5]", [](const Site& s) { return 2 * 5 * s.out + 9 * 25 + 10 + s.out; }},
          // Norm and shares, down, the filters with their biases, the projector, up.
          {"mona[dim=5]", [](const Site& s) {
             return 4 * s.out + 5 * (s.out + 1) + 5 * (9 + 25 + 49 + 3) + 5 * 6 + 6 * s.out;
           }}};
}

void expect_counts(const char* folder, const std::vector<Case>& all) {
  auto model = load_model(source_dir() / "tests/golden/models" / folder);
  for (const Case& expected : all) {
    auto adapter = Adapter::create("count", parse_method(expected.method), model->facts(), 1);
    int64_t count = expected.shared;
    for (const Site* site : adapter->sites()) count += expected.at(*site);
    EXPECT_EQ(adapter->parameter_count(), count) << expected.method;
  }
}

TEST(ParameterCount, IsTheClosedFormOfEveryMethod) { expect_counts("bert-single-label", cases()); }

TEST(ParameterCount, IsTheClosedFormOfEveryMethodOfImages) {
  expect_counts("vit-image", cases_of_images());
}

}  // namespace
}  // namespace inlay
