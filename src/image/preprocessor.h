// preprocessor_config.json: what an image goes through before a base reads it. Resize, center crop,
// rescale and normalise, each where the file says so, with Hugging Face's defaults where it is
// silent, in its old forms (a "size" that is a number, "crop_pct", "feature_extractor_type") and
// its new ones ({"height", "width"}, {"shortest_edge"}).
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "image/resize.h"

namespace inlay {

struct Preprocessor {
  bool resizes = true;
  int64_t shortest_edge = 0;  // 0: to height x width, whatever the shape
  int64_t height = 224, width = 224;
  Resample resample = Resample::kBilinear;
  bool crops = false;
  int64_t crop_height = 224, crop_width = 224;
  double rescale = 1.0 / 255;  // 1: do_rescale is false
  std::array<float, 3> mean = {0, 0, 0}, deviation = {1, 1, 1};

  // What the base reads.
  int64_t output_height() const { return crops ? crop_height : height; }
  int64_t output_width() const { return crops ? crop_width : width; }
};

// The file of a model's folder. A file that is missing, or whose result is of no fixed size, is
// kInput.
Preprocessor read_preprocessor(const std::filesystem::path& folder);
Preprocessor parse_preprocessor(const Json& config, const std::string& where);
Json preprocessor_json(const Preprocessor& preprocessor);  // as Hugging Face writes it

// Resized and cropped, still in bytes: (output_height, output_width).
Image fitted(const Image& image, const Preprocessor& preprocessor);

// (height * width, 3): (pixel * rescale - mean) / deviation.
void normalise(const Image& image, const Preprocessor& preprocessor, float* pixels);

}  // namespace inlay
