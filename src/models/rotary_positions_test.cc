#include "models/rotary_positions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/operands.h"

namespace inlay {
namespace {

RowSpace texts(std::initializer_list<int64_t> lengths) {
  RowSpace space{.example_offsets = {0}};
  for (int64_t length : lengths)
    space.example_offsets.push_back(space.example_offsets.back() + length);
  space.chunk_offsets = space.example_offsets;
  return space;
}

double sine(const Rotation& rotation, std::size_t row) {
  return in(rotation.tables->sine)
      .load<double>((*rotation.rows)[row] * rotation.tables->sine.dim(1));
}

TEST(RotaryPositions, CountEachTextFromItsOwnBeginning) {
  RotaryPositions positions({.inverse = {1.0}});
  Context context(DType::kF32);
  RowSpace space = texts({2, 3});
  Rotation rotation = positions.of(context, space);
  EXPECT_EQ(*rotation.rows, (std::vector<int32_t>{0, 1, 0, 1, 2}));
  EXPECT_NEAR(sine(rotation, 4), std::sin(2.0), 1e-6);
}

TEST(RotaryPositions, GoOnBehindWhatWasRead) {
  RotaryPositions positions({.inverse = {0.5}});
  Context context(DType::kF32);
  RowSpace space = texts({1, 1});
  std::vector<int64_t> past = {7, 1000};
  Rotation rotation = positions.of(context, space, past);
  EXPECT_NEAR(sine(rotation, 0), std::sin(3.5), 1e-6);
  EXPECT_NEAR(sine(rotation, 1), std::sin(500.0), 1e-4);
}

// A short text beside a long one turns as it does alone.
TEST(RotaryPositions, TakeTheFrequenciesOfATextsOwnLength) {
  RotaryPositions positions({.inverse = {1.0}, .inverse_long = {0.25}, .original_positions = 4});
  Context context(DType::kF32);
  RowSpace space = texts({4, 5});
  Rotation rotation = positions.of(context, space);
  EXPECT_NEAR(sine(rotation, 3), std::sin(3.0), 1e-6);
  EXPECT_NEAR(sine(rotation, 8), std::sin(1.0), 1e-6);
}

}  // namespace
}  // namespace inlay
