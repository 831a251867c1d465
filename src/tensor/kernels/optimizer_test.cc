#include "tensor/kernels/optimizer.h"

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/optimizer_reference.h"

namespace inlay::kernels {
namespace {

const std::vector<std::vector<double>> kGrads = {
    {.1, -.2, .3, 0}, {-.5, .25, 0, 1e-3}, {.05, .05, -.7, 2}};

// From PyTorch 1.13 in float64: three steps from {.5, -1.25, 2, 0} with the gradients above,
// torch.optim.AdamW(lr=.01, betas=(.9, .99), eps=1e-6, weight_decay=.1).
TEST(AdamW, IsPyTorchs) {
  const std::vector<double> wanted = {0.49846671034237611, -1.24013150444289399,
                                      1.98113895281977359, -0.01376898177659275};
  std::vector<double> param = {.5, -1.25, 2, 0}, m(4), v(4);
  std::vector<float> narrow = {.5f, -1.25f, 2, 0}, narrow_m(4), narrow_v(4);
  AdamW adamw{.learning_rate = .01,
              .beta1 = .9,
              .beta2 = .99,
              .epsilon = 1e-6,
              .weight_decay = .1,
              .step = 0};
  for (const std::vector<double>& grad : kGrads) {
    const std::vector<float> narrow_grad(grad.begin(), grad.end());
    ++adamw.step;
    adamw_update(
        adamw,
        {.count = 4, .grad = grad.data(), .param = param.data(), .m = m.data(), .v = v.data()});
    adamw_update(adamw, {.count = 4,
                         .grad = narrow_grad.data(),
                         .param = narrow.data(),
                         .m = narrow_m.data(),
                         .v = narrow_v.data()});
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(param[i], wanted[i], 1e-14);
    EXPECT_NEAR(narrow[i], wanted[i], 1e-6);
  }
}

// torch.optim.SGD(lr=.1, momentum=.9, weight_decay=.01), as above.
TEST(Sgd, IsPyTorchs) {
  const std::vector<double> wanted = {0.56008538949999997, -1.24134447874999987,
                                      1.97760356800000014, -0.20018990000000000};
  std::vector<double> param = {.5, -1.25, 2, 0}, velocity(4);
  std::vector<float> narrow = {.5f, -1.25f, 2, 0}, narrow_velocity(4);
  const Sgd sgd{.learning_rate = .1, .momentum = .9, .weight_decay = .01};
  for (const std::vector<double>& grad : kGrads) {
    const std::vector<float> narrow_grad(grad.begin(), grad.end());
    sgd_update(
        sgd, {.count = 4, .grad = grad.data(), .param = param.data(), .velocity = velocity.data()});
    sgd_update(sgd, {.count = 4,
                     .grad = narrow_grad.data(),
                     .param = narrow.data(),
                     .velocity = narrow_velocity.data()});
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(param[i], wanted[i], 1e-14);
    EXPECT_NEAR(narrow[i], wanted[i], 1e-6);
  }
}

struct State {
  State(int64_t count, DType dtype)
      : grad(Elements::normal(DType::kF32, count, "grad")),
        param(Elements(dtype, Elements::normal(DType::kF32, count, "param").values())),
        m(Elements(dtype, Elements::normal(DType::kF32, count, "m").values())),
        v(Elements::constant(dtype, count, 0.5)) {}
  AdamWBuffers adamw() {
    return {.count = grad.count(), .grad = in(grad), .param = out(param), .m = out(m), .v = out(v)};
  }
  SgdBuffers sgd() {
    return {.count = grad.count(), .grad = in(grad), .param = out(param), .velocity = out(m)};
  }
  Elements grad, param, m, v;
};

TEST(AdamW, MatchesTheReference) {
  const AdamW adamw{.step = 12345};
  on_every_target([&] {
    for (int64_t count : kWidths) {
      State fast(count, DType::kF32), plain(count, DType::kF64);
      adamw_update(adamw, fast.adamw());
      adamw_update_reference<double>(adamw, plain.adamw());
      expect_close("param", fast.param, plain.param, 1);
      expect_close("m", fast.m, plain.m, 1);
      expect_close("v", fast.v, plain.v, 1);
    }
  });
}

TEST(Sgd, MatchesTheReferenceWithAndWithoutMomentum) {
  on_every_target([&] {
    for (int64_t count : kWidths) {
      for (double momentum : {0.0, 0.9}) {
        const Sgd sgd{.learning_rate = 0.05, .momentum = momentum, .weight_decay = 0.01};
        State fast(count, DType::kF32), plain(count, DType::kF64);
        SgdBuffers buffers = fast.sgd(), wide = plain.sgd();
        if (momentum == 0.0) buffers.velocity = wide.velocity = nullptr;
        sgd_update(sgd, buffers);
        sgd_update_reference<double>(sgd, wide);
        expect_close("param", fast.param, plain.param, 1);
        expect_close("velocity", fast.m, plain.m, 1);
      }
    }
  });
}

TEST(AdamW, GivesTheSameBitsEverywhere) {
  expect_same_bits_everywhere([] {
    State state(100003, DType::kF32);
    adamw_update({.step = 7}, state.adamw());
    return state.param;
  });
}

}  // namespace
}  // namespace inlay::kernels
