#include "tensor/kernels/block_product.h"

#include "tensor/kernels/block_product_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kBlockProductRows = 21;
struct Sizes {
  int64_t count, in, out;
};
constexpr Sizes kSizes[] = {{3, 1, 1}, {2, 3, 5}, {5, 4, 4}, {2, 16, 33}, {3, 32, 32}, {1, 64, 20}};

TEST(BlockProduct, MatchesTheReference) {
  on_every_target([] {
    for (auto [count, width, height] : kSizes) {
      const Elements blocks = Elements::normal(DType::kF32, count * width * height, "blocks");
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kBlockProductRows * count * width, "x");
        Elements found = unset(DType::kF32, kBlockProductRows * count * height);
        Elements wanted = unset(DType::kF64, found.count());
        const BlockProduct args{in(x), in(blocks), kBlockProductRows, count, width, height};
        block_product(args, out(found));
        block_product_reference<double>(args, out(wanted));
        expect_close("block_product", found, wanted, width, 8.0);  // terms of both signs
      }
    }
  });
}

TEST(BlockProduct, GradientMatchesTheReference) {
  on_every_target([] {
    for (auto [count, width, height] : kSizes) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kBlockProductRows * count * width, "x");
        const Elements grad =
            Elements::normal(DType::kF32, kBlockProductRows * count * height, "grad");
        const BlockGrad args{in(x), in(grad), count, width, height, 2, 19};
        Elements found = unset(DType::kF32, count * width * height);
        Elements wanted = unset(DType::kF64, found.count());
        block_product_grad(args, out(found));
        block_product_grad_reference<double>(args, out(wanted));
        expect_close("block_product_grad", found, wanted, 17, 8.0);
      }
    }
  });
}

TEST(LeftProduct, MatchesTheReference) {
  on_every_target([] {
    for (auto [l, m, k] : kSizes) {
      const Elements w = Elements::normal(DType::kF32, l * m, "w");
      for (DType dtype : kFastTypes) {
        const Elements z = Elements::normal(dtype, kBlockProductRows * m * k, "z");
        Elements found = unset(DType::kF32, kBlockProductRows * l * k);
        Elements wanted = unset(DType::kF64, found.count());
        const LeftProduct args{in(w), in(z), kBlockProductRows, l, m, k};
        left_product(args, out(found));
        left_product_reference<double>(args, out(wanted));
        expect_close("left_product", found, wanted, m, 8.0);
      }
    }
  });
}

TEST(LeftProduct, GradientMatchesTheReference) {
  on_every_target([] {
    for (auto [l, m, k] : kSizes) {
      for (DType dtype : kFastTypes) {
        const Elements z = Elements::normal(dtype, kBlockProductRows * m * k, "z");
        const Elements grad = Elements::normal(dtype, kBlockProductRows * l * k, "grad");
        const LeftGrad args{in(z), in(grad), l, m, k, 2, 19};
        Elements found = unset(DType::kF32, l * m), wanted = unset(DType::kF64, l * m);
        std::vector<float> scratch(static_cast<std::size_t>(z.count()));
        left_product_grad(args, scratch, out(found));
        left_product_grad_reference<double>(args, out(wanted));
        expect_close("left_product_grad", found, wanted, 17 * k, 8.0);
      }
    }
  });
}

// A batch of 403 rows is cut differently by one, two and three threads, and ends with rows that do
// not fill a group.
TEST(BlockProduct, IsTheSameEverywhere) {
  const Elements x = Elements::normal(DType::kF32, 403 * 96, "x");
  const Elements blocks = Elements::normal(DType::kF32, 96 * 24, "blocks");
  expect_same_bits_everywhere([&] {
    Elements found = unset(DType::kF32, x.count());
    block_product({in(x), in(blocks), 403, 4, 24, 24}, out(found));
    return found;
  });
  expect_same_bits_everywhere([&] {
    Elements found = unset(DType::kF32, 403 * 36);
    left_product({in(blocks), in(x), 403, 9, 24, 4}, out(found));
    return found;
  });
}

TEST(LeftProduct, GradientIsTheSameEverywhere) {
  const Elements z = Elements::normal(DType::kF32, 40 * 96, "z");
  const Elements grad = Elements::normal(DType::kF32, 40 * 48, "grad");
  expect_same_bits_everywhere([&] {
    Elements found = unset(DType::kF32, 4 * 2);
    std::vector<float> scratch(static_cast<std::size_t>(z.count()));
    left_product_grad({in(z), in(grad), 2, 4, 24, 0, 40}, scratch, out(found));
    return found;
  });
}

TEST(BlockProduct, TransposesBlockByBlock) {
  const float blocks[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const float expected[] = {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12};
  float found[12];
  transposed_blocks(blocks, 2, 2, 3, found);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(found[i], expected[i]);
}

}  // namespace
}  // namespace inlay::kernels
