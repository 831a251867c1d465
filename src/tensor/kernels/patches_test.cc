#include "tensor/kernels/patches.h"

#include "tensor/kernels/patch_geometry_test.h"
#include "tensor/kernels/patches_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kPatchesMaps = 3;

int64_t map_elements(const Patches& patches) {
  return kPatchesMaps * patches.geometry.inputs() * patches.map_channels;
}

// All channels, and some in the middle of others, over all windows.
template <class Check>
void for_all_patches(const Check& check) {
  for (const PatchGeometry& geometry : kGeometries) {
    for (int64_t channels : {1, 3, 16, 37}) {
      check(Patches{geometry, channels, channels, 0});
      check(Patches{geometry, channels, channels + 7, 4});
    }
  }
}

TEST(Patches, GatherCopiesTheBitsOfEveryType) {
  for_all_patches([](const Patches& patches) {
    for (DType dtype : {DType::kBF16, DType::kF32, DType::kF64}) {
      const Elements x = Elements::normal(dtype, map_elements(patches), "x");
      const int64_t first = 2, last = kPatchesMaps * patches.geometry.outputs() - 1;
      Elements found = unset(dtype, (last - first) * patches.size()), wanted = found;
      gather_patches(patches, in(x), first, last, out(found));
      gather_patches_reference<double>(patches, in(x), first, last, out(wanted));
      EXPECT_TRUE(found == wanted);
    }
  });
}

TEST(Patches, GatherGivesAKnownPatch) {
  // 1 2      the upper left corner of a 3 x 3 window: zeros but for the map itself
  // 3 4
  const Patches patches{{2, 2, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1}, 1, 1, 0};
  const std::vector<float> map = {1, 2, 3, 4};
  std::vector<float> patch(18);
  gather_patches(patches, map.data(), 0, 2, patch.data());
  EXPECT_EQ(patch, (std::vector<float>{0, 0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0, 1, 2, 0, 3, 4, 0}));
}

TEST(Patches, ScatterMatchesTheReferenceAndKeepsOtherChannels) {
  on_every_target([] {
    for_all_patches([](const Patches& patches) {
      for (DType dtype : kFastTypes) {
        const int64_t rows = 2 * patches.geometry.outputs();
        const Elements grad = Elements::normal(DType::kF32, rows * patches.size(), "grad");
        Elements found = unset(dtype, map_elements(patches));
        Elements wanted = unset(DType::kF64, map_elements(patches));
        scatter_patches(patches, in(grad), 1, 3, out(found));
        scatter_patches_reference<double>(patches, in(grad), 1, 3, out(wanted));
        expect_close("scatter", found, wanted, patches.geometry.taps());
      }
    });
  });
}

// <gather(x), p> = <x, scatter(p)>
TEST(Patches, ScatterIsTheTransposeOfGather) {
  for (const PatchGeometry& geometry : kGeometries) {
    const Patches patches{geometry, 5, 5, 0};
    const int64_t rows = kPatchesMaps * geometry.outputs();
    const Elements x = Elements::normal(DType::kF64, map_elements(patches), "x");
    const Elements p = Elements::normal(DType::kF64, rows * patches.size(), "p");
    Elements gathered = unset(DType::kF64, p.count()), scattered = unset(DType::kF64, x.count());
    gather_patches(patches, in(x), 0, rows, out(gathered));
    scatter_patches(patches, in(p), 0, kPatchesMaps, out(scattered));
    auto dot = [](const Elements& a, const Elements& b) {
      double sum = 0;
      for (int64_t i = 0; i < a.count(); ++i) sum += in(a).load<double>(i) * in(b).load<double>(i);
      return sum;
    };
    EXPECT_NEAR(dot(gathered, p), dot(x, scattered), 1e-9);
  }
}

TEST(Patches, AreTheSameEverywhere) {
  const Patches patches{{40, 30, 20, 15, 3, 3, 2, 2, 1, 1, 1, 1}, 19, 19, 0};
  const Elements x = Elements::normal(DType::kF32, map_elements(patches), "x");
  expect_same_bits_everywhere([&] {
    const int64_t rows = kPatchesMaps * patches.geometry.outputs();
    Elements gathered = unset(DType::kF32, rows * patches.size());
    Elements back = unset(DType::kF32, x.count());
    gather_patches(patches, in(x), 0, rows, out(gathered));
    scatter_patches(patches, in(gathered), 0, kPatchesMaps, out(back));
    return back;
  });
}

}  // namespace
}  // namespace inlay::kernels
