// Which places of a map a place of another map reads: a window of taps that moves over the map and
// the zeros around it. Places are numbered line by line, taps of the window likewise.
//
//   TapReads reads(geometry);
//   for (const TapRead& read : reads.of_output(place)) y += weight[read.tap] * x[read.place];
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace inlay::kernels {

// One direction: output place `o` reads with its tap `t` input place o stride + t dilation -
// before.
struct PatchAxis {
  int64_t input = 0, output = 0;  // places
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t before = 0;  // zeros before the first place

  // Taps [first, last) of an output place lie on the map.
  struct Taps {
    int64_t first = 0, last = 0;
    int64_t count() const { return last - first; }
  };
  Taps taps_of(int64_t output_place) const;
  int64_t input_of(int64_t output_place, int64_t tap) const {
    return output_place * stride + tap * dilation - before;
  }
  // The output place that reads an input place with this tap; -1: none does.
  int64_t output_of(int64_t input_place, int64_t tap) const;
};

struct PatchGeometry {
  int64_t input_height = 0, input_width = 0;
  int64_t output_height = 0, output_width = 0;
  int64_t kernel_height = 1, kernel_width = 1;
  int64_t stride_height = 1, stride_width = 1;
  int64_t dilation_height = 1, dilation_width = 1;
  int64_t top = 0, left = 0;  // zeros before the map

  int64_t inputs() const { return input_height * input_width; }
  int64_t outputs() const { return output_height * output_width; }
  int64_t taps() const { return kernel_height * kernel_width; }
  PatchAxis vertical() const {
    return {input_height, output_height, kernel_height, stride_height, dilation_height, top};
  }
  PatchAxis horizontal() const {
    return {input_width, output_width, kernel_width, stride_width, dilation_width, left};
  }
};

struct TapRead {
  int64_t tap = 0;
  int64_t place = 0;
};

// The reads of one place after another, always in the order of taps. What is returned holds until
// the next call. One for each thread.
class TapReads {
 public:
  // Numbers of taps and of places come multiplied by these, as offsets of elements.
  explicit TapReads(const PatchGeometry& geometry, int64_t tap_stride = 1,
                    int64_t place_stride = 1);

  // What an output place reads of the input map.
  std::span<const TapRead> of_output(int64_t place);
  // Which places of the output map read an input place, and with which tap.
  std::span<const TapRead> of_input(int64_t place);

 private:
  PatchAxis vertical_, horizontal_;
  int64_t tap_stride_, place_stride_;
  std::vector<TapRead> reads_;
};

}  // namespace inlay::kernels
