#include "eval/pixels_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <string>

#include "base/error.h"

namespace inlay {
namespace {

constexpr MapSize kSize{2, 2};
constexpr std::size_t kNumbers = 12;

// A picture whose numbers count up from its own, and who read it.
class Counting : public PixelSource {
 public:
  explicit Counting(float first, bool fails = false) : first_(first), fails_(fails) {}

  MapSize size() const override { return kSize; }
  void read(float* pixels) const override {
    ++reads;
    reader = std::this_thread::get_id();
    require(!fails_, ErrorKind::kInput, "torn.png: {} is torn", first_);
    std::iota(pixels, pixels + kNumbers, first_);
  }

  mutable std::atomic<int> reads = 0;
  mutable std::atomic<std::thread::id> reader = std::thread::id();

 private:
  float first_;
  bool fails_;
};

class PixelsAheadTest : public testing::Test {
 protected:
  void add(std::shared_ptr<const PixelSource> pixels) {
    EncodedExample& example = examples_.emplace_back();
    example.tokens.pixels = std::move(pixels);
  }

  std::unique_ptr<ExamplesAhead> begin() {
    std::vector<const EncodedExample*> all;
    all.reserve(examples_.size());
    for (const EncodedExample& example : examples_) all.push_back(&example);
    return ahead_.begin(PosedExamples(*task_, all, {}));
  }

  static std::vector<float> pixels_of(const EncodedExample& example) {
    std::vector<float> pixels(kNumbers);
    example.tokens.pixels->read(pixels.data());
    return pixels;
  }

  static void wait_for(const Counting& picture) {
    for (int tries = 0; picture.reads == 0 && tries < 5000; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(picture.reads, 1);
  }

  std::unique_ptr<Task> task_ = find_task("image-classification").make({"a", "b"}, 0, {});
  std::deque<EncodedExample> examples_;
  PixelsAhead ahead_;
};

TEST_F(PixelsAheadTest, APictureIsReadBeforeAnybodyAsksForIt) {
  auto picture = std::make_shared<Counting>(5.0f);
  add(picture);
  auto examples = begin();
  wait_for(*picture);
  EXPECT_EQ(pixels_of(*examples->all()[0])[11], 16);
  EXPECT_EQ(picture->reads, 1);
  EXPECT_NE(picture->reader.load(), std::this_thread::get_id());
}

TEST_F(PixelsAheadTest, ManyPicturesComeInTheirOrderWithTheirOwnPixels) {
  for (int i = 0; i < 200; ++i) add(std::make_shared<Counting>(static_cast<float>(100 * i)));
  auto examples = begin();
  ASSERT_EQ(examples->all().size(), 200u);
  for (std::size_t i = 200; i-- > 0;)
    EXPECT_EQ(pixels_of(*examples->all()[i])[3], static_cast<float>(100 * i + 3)) << i;
}

TEST_F(PixelsAheadTest, PixelsAreKeptForOneReaderAndReadAnewForTheNext) {
  auto picture = std::make_shared<Counting>(0.0f);
  add(picture);
  auto examples = begin();
  wait_for(*picture);
  EXPECT_EQ(pixels_of(*examples->all()[0]), pixels_of(*examples->all()[0]));
  EXPECT_EQ(picture->reads, 2);
}

TEST_F(PixelsAheadTest, WhatCouldNotBeReadFailsWhereItIsAskedFor) {
  auto torn = std::make_shared<Counting>(7.0f, true);
  add(torn);
  auto examples = begin();
  wait_for(*torn);
  for (int twice = 0; twice < 2; ++twice) {
    try {
      pixels_of(*examples->all()[0]);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(std::string(error.what()), "torn.png: 7 is torn");
    }
  }
}

TEST_F(PixelsAheadTest, TextsAreTheSameExamples) {
  examples_.emplace_back().tokens.ids = {1, 2, 3};
  auto examples = begin();
  EXPECT_EQ(examples->all()[0], &examples_[0]);
}

TEST_F(PixelsAheadTest, AnExamplesFurtherPicturesAreReadAheadToo) {
  auto first = std::make_shared<Counting>(0.0f), second = std::make_shared<Counting>(50.0f);
  add(first);
  TokenSequence further;
  further.pixels = second;
  examples_[0].further.push_back(std::move(further));
  auto examples = begin();
  wait_for(*second);
  std::vector<float> pixels(kNumbers);
  examples->all()[0]->further[0].pixels->read(pixels.data());
  EXPECT_EQ(pixels[0], 50);
  EXPECT_EQ(second->reads, 1);
}

// Neither a batch that nobody wants any more nor the end of all waits for what is not begun.
TEST_F(PixelsAheadTest, WhatIsDroppedIsForgotten) {
  for (int i = 0; i < 50; ++i) add(std::make_shared<Counting>(static_cast<float>(i)));
  begin();
  auto again = begin();
  EXPECT_EQ(pixels_of(*again->all()[49])[0], 49);
}

}  // namespace
}  // namespace inlay
