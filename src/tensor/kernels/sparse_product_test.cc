#include "tensor/kernels/sparse_product.h"

#include <vector>

#include "tensor/kernels/operand_test.h"
#include "tensor/kernels/sparse_product_reference.h"

namespace inlay::kernels {
namespace {

constexpr int64_t kSparseProductRows = 53;

// Elements (3 j + 7 k) mod in of each output j, some outputs without any, in no order.
struct Places {
  std::vector<int32_t> starts{0}, channels, elements;
  SparseOrder order() const { return {starts.data(), channels.data(), elements.data()}; }
  int64_t count() const { return static_cast<int64_t>(elements.size()); }
};
Places places(int64_t in, int64_t out) {
  Places made;
  for (int64_t j = 0; j < out; ++j) {
    for (int64_t k = 0; k < j % 5; ++k)
      made.channels.push_back(static_cast<int32_t>((3 * j + 7 * k) % in));
    made.starts.push_back(static_cast<int32_t>(made.channels.size()));
  }
  auto count = static_cast<int32_t>(made.channels.size());
  for (int32_t i = 0; i < count; ++i) made.elements.push_back(count - 1 - i);
  return made;
}

struct Sizes {
  int64_t in, out;
};
constexpr Sizes kSizes[] = {{1, 3}, {5, 7}, {16, 16}, {33, 20}, {100, 67}};

Elements product(const Elements& x, const Elements& values, const Places& made, Sizes sizes) {
  std::vector<float> scratch(sparse_product_scratch(sizes.in, sizes.out));
  Elements found = unset(DType::kF32, kSparseProductRows * sizes.out);
  sparse_product({in(x), in(values), made.order(), kSparseProductRows, sizes.in, sizes.out},
                 scratch, out(found));
  return found;
}

Elements gradient(const Elements& x, const Elements& grad, const Places& made, Sizes sizes) {
  std::vector<float> scratch(sparse_grad_scratch(sizes.in, sizes.out, 43));
  Elements found = unset(DType::kF32, made.count());
  sparse_grad({in(x), in(grad), made.order(), sizes.in, sizes.out, 3, 46}, scratch, out(found));
  return found;
}

TEST(SparseProduct, MatchesTheReference) {
  on_every_target([] {
    for (Sizes sizes : kSizes) {
      const Places made = places(sizes.in, sizes.out);
      const Elements values = Elements::normal(DType::kF32, made.count(), "values");
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kSparseProductRows * sizes.in, "x");
        Elements wanted = unset(DType::kF64, kSparseProductRows * sizes.out);
        sparse_product_reference<double>(
            {in(x), in(values), made.order(), kSparseProductRows, sizes.in, sizes.out},
            out(wanted));
        expect_close("sparse_product", product(x, values, made, sizes), wanted, 5, 8.0);
      }
    }
  });
}

TEST(SparseProduct, GradientMatchesTheReference) {
  on_every_target([] {
    for (Sizes sizes : kSizes) {
      const Places made = places(sizes.in, sizes.out);
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, kSparseProductRows * sizes.in, "x");
        const Elements grad = Elements::normal(DType::kF32, kSparseProductRows * sizes.out, "grad");
        Elements wanted = unset(DType::kF64, made.count());
        sparse_grad_reference<double>({in(x), in(grad), made.order(), sizes.in, sizes.out, 3, 46},
                                      out(wanted));
        expect_close("sparse_grad", gradient(x, grad, made, sizes), wanted, 43, 8.0);
      }
    }
  });
}

TEST(SparseProduct, IsTheSameEverywhere) {
  const Sizes sizes{700, 90};
  const Places made = places(sizes.in, sizes.out);
  const Elements x = Elements::normal(DType::kF32, kSparseProductRows * sizes.in, "x");
  const Elements values = Elements::normal(DType::kF32, made.count(), "values");
  const Elements grad = Elements::normal(DType::kF32, kSparseProductRows * sizes.out, "grad");
  expect_same_bits_everywhere([&] { return product(x, values, made, sizes); });
  expect_same_bits_everywhere([&] { return gradient(x, grad, made, sizes); });
}

}  // namespace
}  // namespace inlay::kernels
