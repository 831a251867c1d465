#include "tensor/kernels/depthwise.h"

#include "tensor/kernels/depthwise_reference.h"
#include "tensor/kernels/patch_geometry_test.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kMaps = 3;

// check(args, type of src, type of dst) over windows, channels and types.
template <class Check>
void for_all_cases(const Check& check) {
  on_every_target([&] {
    for (const PatchGeometry& geometry : kGeometries) {
      for (int64_t channels : {1, 16, 37}) {
        for (DType src : kFastTypes) {
          for (DType dst : kFastTypes) check(Depthwise{geometry, kMaps, channels}, src, dst);
        }
      }
    }
  });
}

int64_t inputs(const Depthwise& args) { return args.maps * args.geometry.inputs() * args.channels; }
int64_t outputs(const Depthwise& args) {
  return args.maps * args.geometry.outputs() * args.channels;
}
Elements drawn_taps(const Depthwise& args) {
  return Elements::normal(DType::kF32, args.geometry.taps() * args.channels, "taps");
}

TEST(Depthwise, ForwardMatchesTheReference) {
  for_all_cases([](const Depthwise& args, DType src, DType dst) {
    const Elements x = Elements::normal(src, inputs(args), "x"), taps = drawn_taps(args);
    const Elements bias = Elements::normal(DType::kF32, args.channels, "bias");
    for (Input addend : {in(bias), Input()}) {
      Elements found = unset(dst, outputs(args)), wanted = unset(DType::kF64, outputs(args));
      depthwise_forward(args, in(x), in(taps), addend, out(found));
      depthwise_forward_reference<double>(args, in(x), in(taps), addend, out(wanted));
      expect_close("depthwise", found, wanted, args.geometry.taps(), 4.0);
    }
  });
}

TEST(Depthwise, BackwardMatchesTheReference) {
  for_all_cases([](const Depthwise& args, DType src, DType dst) {
    const Elements grad = Elements::normal(src, outputs(args), "grad"), taps = drawn_taps(args);
    Elements found = unset(dst, inputs(args)), wanted = unset(DType::kF64, inputs(args));
    depthwise_backward(args, in(grad), in(taps), out(found));
    depthwise_backward_reference<double>(args, in(grad), in(taps), out(wanted));
    expect_close("depthwise backward", found, wanted, args.geometry.taps(), 4.0);
  });
}

TEST(Depthwise, GradientOfTheTapsMatchesTheReference) {
  for_all_cases([](const Depthwise& args, DType src, DType dst) {
    const Elements x = Elements::normal(src, inputs(args), "x");
    const Elements grad = Elements::normal(dst, outputs(args), "grad");
    const int64_t count = args.geometry.taps() * args.channels;
    Elements found = unset(DType::kF32, count), wanted = unset(DType::kF64, count);
    const DepthwiseTapsGrad part{args, in(x), in(grad), 1, 3};
    depthwise_taps_grad(part, out(found));
    depthwise_taps_grad_reference<double>(part, out(wanted));
    expect_close("taps", found, wanted, 2 * args.geometry.outputs(), 8.0);
  });
}

TEST(Depthwise, FiltersAKnownMap) {
  // One line 1 2 3 between zeros, with the taps 10 1 100 and a bias of 5.
  const Depthwise args{{1, 3, 1, 3, 1, 3, 1, 1, 1, 1, 0, 1}, 1, 1};
  const std::vector<float> x = {1, 2, 3}, taps = {10, 1, 100}, bias = {5};
  std::vector<float> y(3), grad_x(3), grad_taps(3);
  depthwise_forward(args, x.data(), taps.data(), bias.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{206, 317, 28}));
  depthwise_backward(args, x.data(), taps.data(), grad_x.data());
  EXPECT_EQ(grad_x, (std::vector<float>{21, 132, 203}));
  depthwise_taps_grad({args, x.data(), x.data(), 0, 1}, grad_taps.data());
  EXPECT_EQ(grad_taps, (std::vector<float>{8, 14, 8}));
}

TEST(Depthwise, IsTheSameEverywhere) {
  const Depthwise args{{40, 30, 20, 15, 3, 3, 2, 2, 1, 1, 1, 1}, kMaps, 35};
  const Elements x = Elements::normal(DType::kF32, inputs(args), "x"), taps = drawn_taps(args);
  expect_same_bits_everywhere([&] {
    Elements y = unset(DType::kF32, outputs(args)), grad_x = unset(DType::kF32, inputs(args));
    depthwise_forward(args, in(x), in(taps), Input(), out(y));
    depthwise_backward(args, in(y), in(taps), out(grad_x));
    return grad_x;
  });
}

}  // namespace
}  // namespace inlay::kernels
