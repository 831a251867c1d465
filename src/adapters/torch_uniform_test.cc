#include "adapters/torch_uniform.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

// From PyTorch 1.13: g = torch.Generator().manual_seed(7); then for (3, 5) and (4, 3)
// b = sqrt(3) * (sqrt(2) / sqrt(fan in)); torch.empty(shape).uniform_(-b, b, generator=g).
constexpr float kFirst[] = {0x1.396414p-4f,  -0x1.51dcfep-1f, 0x1.652fdap-2f,  0x1.5ffa98p-2f,
                            -0x1.2bc55cp-1f, -0x1.503ec8p-3f, -0x1.489276p-1f, 0x1.230f52p-2f,
                            -0x1.2e28cep-2f, 0x1.8a07c2p-1f,  0x1.8e2708p-1f,  0x1.c91638p-4f,
                            -0x1.de387cp-2f, -0x1.496e9cp-1f, -0x1.ecc12ap-4f};
constexpr float kSecond[] = {-0x1.978d2ap-2f, 0x1.3f251ap-1f, -0x1.3524b8p+0f, 0x1.544216p+0f,
                             -0x1.1bfe2ep+0f, 0x1.153ba4p+0f, -0x1.f6f512p-3f, 0x1.747516p-1f,
                             0x1.1a2b5ap-1f,  0x1.e4f590p-5f, 0x1.0e06c2p-2f,  0x1.12ef68p+0f};

TEST(TorchUniform, Trap20VeraProjectionsAreDrawnAsPyTorchDrawsThem) {
  std::mt19937 generator(7);
  Tensor first = torch_kaiming_uniform({3, 5}, generator);
  Tensor second = torch_kaiming_uniform({4, 3}, generator);
  for (int64_t i = 0; i < first.count(); ++i) EXPECT_EQ(first.data<float>()[i], kFirst[i]) << i;
  for (int64_t i = 0; i < second.count(); ++i) EXPECT_EQ(second.data<float>()[i], kSecond[i]) << i;
}

}  // namespace
}  // namespace inlay
