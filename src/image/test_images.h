// For the tests of this folder: images and the pixels that PIL makes of them, from
// tests/golden/images/make_images.py, and a check of an Error's text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "image/image.h"

namespace inlay {

inline std::string golden_file(const std::string& name) {
  return read_file(source_dir() / "tests/golden/images" / name);
}

inline Image golden_image(const std::string& name) { return decode_image(golden_file(name), name); }

struct Goldens {
  Json cases = parse_json(golden_file("cases.json"), "cases.json");
  std::string bytes = golden_file("expected.bin");

  Image expected(const Json& golden) const {
    Image image =
        blank_image(golden.at("width").get<int64_t>(), golden.at("height").get<int64_t>());
    const std::string_view part =
        std::string_view(bytes).substr(golden.at("offset").get<std::size_t>(), image.rgb.size());
    EXPECT_EQ(part.size(), image.rgb.size());
    std::copy(part.begin(), part.end(), image.rgb.begin());
    return image;
  }
};

// Names the first sample that differs.
inline void expect_same(const Image& found, const Image& wanted, const std::string& name) {
  ASSERT_EQ(found.width, wanted.width) << name;
  ASSERT_EQ(found.height, wanted.height) << name;
  ASSERT_EQ(found.rgb.size(), wanted.rgb.size()) << name;
  const auto [at, other] = std::mismatch(found.rgb.begin(), found.rgb.end(), wanted.rgb.begin());
  if (at == found.rgb.end()) return;
  ADD_FAILURE() << name << ": sample " << at - found.rgb.begin() << " is " << int{*at}
                << ", expected " << int{*other};
}

// A row of grey pixels.
inline Image grey_row(const std::vector<uint8_t>& values) {
  Image image = blank_image(static_cast<int64_t>(values.size()), 1);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = values[i / 3];
  return image;
}

// `call` throws an Error of kind kInput whose message holds the given part.
inline void expect_input_error(const std::function<void()>& call, std::string_view part) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
    return;
  }
  ADD_FAILURE() << "no error; expected one with: " << part;
}

}  // namespace inlay
