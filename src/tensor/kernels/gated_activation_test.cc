#include "tensor/kernels/gated_activation.h"

#include "tensor/kernels/gated_activation_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr Activation kKinds[] = {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh,
                                 Activation::kRelu};

TEST(GatedActivation, MatchesTheReference) {
  on_every_target([] {
    for (int64_t count : kWidths) {
      for (DType dtype : kFastTypes) {
        for (Activation kind : kKinds) {
          const Elements gate = Elements::normal(dtype, count, "gate", 2.0);
          const Elements up = Elements::normal(dtype, count, "up");
          Elements found = unset(dtype, count), wanted = unset(DType::kF64, count);
          gated_activation_forward(kind, in(gate), in(up), out(found), count);
          gated_activation_forward_reference<double>(kind, in(gate), in(up), out(wanted), count);
          expect_close("forward", found, wanted, 16);
        }
      }
    }
  });
}

TEST(GatedActivation, GradientsMatchTheReferenceAndMayBeAbsent) {
  on_every_target([] {
    for (int64_t count : kWidths) {
      for (DType dtype : kFastTypes) {
        for (Activation kind : kKinds) {
          const Elements gate = Elements::normal(dtype, count, "gate", 2.0);
          const Elements up = Elements::normal(dtype, count, "up");
          const Elements grad = Elements::normal(dtype, count, "grad");
          Elements found[] = {unset(dtype, count), unset(dtype, count), unset(dtype, count)};
          Elements wanted[] = {unset(DType::kF64, count), unset(DType::kF64, count)};
          gated_activation_backward(
              kind, {in(gate), in(up), in(grad), out(found[0]), out(found[1])}, count);
          gated_activation_backward_reference<double>(
              kind, {in(gate), in(up), in(grad), out(wanted[0]), out(wanted[1])}, count);
          expect_close("grad_gate", found[0], wanted[0], 16);
          expect_close("grad_up", found[1], wanted[1], 16);
          gated_activation_backward(kind, {in(gate), in(up), in(grad), Output(), out(found[2])},
                                    count);
          EXPECT_TRUE(found[2] == found[1]);
        }
      }
    }
  });
}

TEST(GatedActivation, IsTheSameEverywhere) {
  const Elements gate = Elements::normal(DType::kF32, 400 * 101, "gate");
  const Elements up = Elements::normal(DType::kF32, 400 * 101, "up");
  expect_same_bits_everywhere([&] {
    Elements found = unset(DType::kF32, gate.count());
    gated_activation_forward(Activation::kSilu, in(gate), in(up), out(found), gate.count());
    return found;
  });
}

}  // namespace
}  // namespace inlay::kernels
