#include "tensor/kernels/dropout.h"

#include <numeric>

#include "tensor/kernels/dropout_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

// Rows of examples 3 and -1 (an extreme place) with positions that count up.
struct Rows {
  explicit Rows(int64_t rows)
      : place(static_cast<std::size_t>(rows), 3), position(static_cast<std::size_t>(rows)) {
    std::iota(position.begin(), position.end(), 5);
    if (rows > 1) place[1] = -1;
  }
  Dropout args(int64_t channels, double probability) const {
    return {.rows = static_cast<int64_t>(place.size()),
            .channels = channels,
            .example_place = place.data(),
            .token_position = position.data(),
            .key = Stream(1, "dropout").key(),
            .step = 17,
            .probability = probability};
  }
  std::vector<int32_t> place, position;
};

TEST(Dropout, IsTheReferenceBitForBit) {
  const Rows rows(4);
  on_every_target([&] {
    for (int64_t channels : kWidths) {
      for (DType dtype : kFastTypes) {
        for (double probability : {0.0, 0.1, 0.5, 0.9}) {
          const Elements x = Elements::normal(dtype, 4 * channels, "x");
          Elements found = unset(dtype, 4 * channels), wanted = found;
          dropout(rows.args(channels, probability), in(x), out(found));
          dropout_reference<float>(rows.args(channels, probability), in(x), out(wanted));
          EXPECT_TRUE(found == wanted) << channels << " channels, p = " << probability;
        }
      }
    }
  });
}

TEST(Dropout, KeepsTheShareThatItShouldAndItsScale) {
  const Rows rows(50);
  Elements x = Elements::constant(DType::kF32, 50 * 1000, 1.0);
  dropout(rows.args(1000, 0.25), in(x), out(x));
  int64_t kept = 0;
  for (int64_t i = 0; i < x.count(); ++i) {
    const float value = in(x).load<float>(i);
    if (value == 0.0f) continue;
    EXPECT_FLOAT_EQ(value, 4.0f / 3.0f);
    ++kept;
  }
  EXPECT_NEAR(static_cast<double>(kept) / x.count(), 0.75, 0.01);
}

TEST(Dropout, OfATokenDoesNotDependOnWhereItsRowIs) {
  const Rows all(6);
  Rows one(1);
  one.place[0] = all.place[4];
  one.position[0] = all.position[4];
  const Elements x = Elements::constant(DType::kF32, 6 * 100, 1.0);
  Elements batch = unset(DType::kF32, 600), alone = unset(DType::kF32, 100);
  dropout(all.args(100, 0.5), in(x), out(batch));
  dropout(one.args(100, 0.5), in(x), out(alone));
  for (int64_t c = 0; c < 100; ++c)
    EXPECT_EQ(in(alone).load<float>(c), in(batch).load<float>(400 + c));
}

TEST(Dropout, ChangesWithStepPlaceAndPosition) {
  const Elements x = Elements::constant(DType::kF32, 128, 1.0);
  auto mask = [&](int32_t place, int32_t position, uint32_t step) {
    Rows row(1);
    row.place[0] = place;
    row.position[0] = position;
    Dropout args = row.args(128, 0.5);
    args.step = step;
    Elements y = unset(DType::kF32, 128);
    dropout(args, in(x), out(y));
    return y;
  };
  EXPECT_TRUE(mask(1, 2, 3) == mask(1, 2, 3));
  EXPECT_FALSE(mask(1, 2, 3) == mask(2, 2, 3));
  EXPECT_FALSE(mask(1, 2, 3) == mask(1, 3, 3));
  EXPECT_FALSE(mask(1, 2, 3) == mask(1, 2, 4));
}

TEST(Dropout, GivesTheSameBitsEverywhere) {
  const Rows rows(300);
  expect_same_bits_everywhere([&] {
    Elements x = Elements::normal(DType::kF32, 300 * 130, "x");
    dropout(rows.args(130, 0.1), in(x), out(x));
    return x;
  });
}

}  // namespace
}  // namespace inlay::kernels
