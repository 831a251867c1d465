#include "tensor/kernels/patch_geometry.h"

#include <set>
#include <tuple>

#include "tensor/kernels/patch_geometry_test.h"

namespace inlay::kernels {
namespace {

TEST(PatchGeometry, TapsOnTheMapAreOneRange) {
  // Places 0 to 4, one zero before; output 0 reads -1, 1, 3, output 2 reads 3, 5, 7.
  const PatchAxis axis{
      .input = 5, .output = 3, .kernel = 3, .stride = 2, .dilation = 2, .before = 1};
  EXPECT_EQ(axis.taps_of(0).first, 1);
  EXPECT_EQ(axis.taps_of(0).last, 3);
  EXPECT_EQ(axis.taps_of(2).first, 0);
  EXPECT_EQ(axis.taps_of(2).last, 1);
  EXPECT_EQ(axis.input_of(2, 0), 3);
  EXPECT_EQ(axis.output_of(3, 0), 2);
  EXPECT_EQ(axis.output_of(3, 2), 0);
  EXPECT_EQ(axis.output_of(2, 0), -1);
}

TEST(PatchGeometry, AWindowInTheZerosReadsNothing) {
  const PatchAxis axis{
      .input = 2, .output = 6, .kernel = 2, .stride = 1, .dilation = 1, .before = 3};
  EXPECT_EQ(axis.taps_of(0).count(), 0);
  EXPECT_EQ(axis.taps_of(2).count(), 1);
  EXPECT_EQ(axis.taps_of(5).count(), 0);
}

using Triple = std::tuple<int64_t, int64_t, int64_t>;  // output place, tap, input place

// By the definition, one number after another.
std::set<Triple> all_reads(const PatchGeometry& map) {
  std::set<Triple> reads;
  for (int64_t o = 0; o < map.outputs(); ++o) {
    for (int64_t tap = 0; tap < map.taps(); ++tap) {
      const int64_t y = o / map.output_width * map.stride_height - map.top +
                        tap / map.kernel_width * map.dilation_height;
      const int64_t x = o % map.output_width * map.stride_width - map.left +
                        tap % map.kernel_width * map.dilation_width;
      if (y < 0 || y >= map.input_height || x < 0 || x >= map.input_width) continue;
      reads.emplace(o, tap, y * map.input_width + x);
    }
  }
  return reads;
}

TEST(PatchGeometry, BothSidesSeeTheSameReadsInTheOrderOfTaps) {
  for (const PatchGeometry& map : kGeometries) {
    std::set<Triple> of_outputs, of_inputs;
    TapReads reads(map);
    for (int64_t place = 0; place < map.outputs(); ++place) {
      int64_t before = -1;
      for (const TapRead& read : reads.of_output(place)) {
        EXPECT_GT(read.tap, before);
        before = read.tap;
        of_outputs.emplace(place, read.tap, read.place);
      }
    }
    for (int64_t place = 0; place < map.inputs(); ++place) {
      int64_t before = -1;
      for (const TapRead& read : reads.of_input(place)) {
        EXPECT_GT(read.tap, before);
        before = read.tap;
        of_inputs.emplace(read.place, read.tap, place);
      }
    }
    EXPECT_EQ(of_outputs, all_reads(map));
    EXPECT_EQ(of_inputs, all_reads(map));
  }
}

TEST(PatchGeometry, NumbersComeAsOffsets) {
  const PatchGeometry map{.input_height = 1,
                          .input_width = 3,
                          .output_height = 1,
                          .output_width = 2,
                          .kernel_width = 2};
  TapReads reads(map, 10, 100);
  const std::span<const TapRead> second = reads.of_output(1);
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[1].tap, 10);
  EXPECT_EQ(second[1].place, 200);
}

}  // namespace
}  // namespace inlay::kernels
