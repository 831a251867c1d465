#include "tensor/kernels/elementwise.h"

#include "tensor/kernels/elementwise_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

// Runs fast(a, b, dst) and plain(a, b, dst) over sizes and types; dst starts as a copy of b.
template <class Fast, class Plain>
void expect_matches(std::string_view name, const Fast& fast, const Plain& plain) {
  on_every_target([&] {
    for (int64_t count : kWidths) {
      for (DType type_a : kFastTypes) {
        for (DType type_b : kFastTypes) {
          const Elements a = Elements::normal(type_a, count, "a"),
                         b = Elements::normal(type_b, count, "b");
          Elements found = b, wanted(DType::kF64, b.values());
          fast(in(a), in(b), out(found), count);
          plain(in(a), in(b), out(wanted), count);
          expect_close(name, found, wanted, 1);
        }
      }
    }
  });
}

TEST(Elementwise, AddMatchesTheReference) {
  expect_matches(
      "add", [](Input a, Input b, Output dst, int64_t n) { add(a, b, dst, n); },
      [](Input a, Input b, Output dst, int64_t n) { add_reference<double>(a, b, dst, n); });
}

TEST(Elementwise, AddInPlaceMatchesTheReference) {
  expect_matches(
      "add_in_place", [](Input a, Input, Output dst, int64_t n) { add_in_place(dst, a, n); },
      [](Input a, Input b, Output dst, int64_t n) { add_reference<double>(a, b, dst, n); });
}

TEST(Elementwise, MultiplyMatchesTheReference) {
  expect_matches(
      "multiply", [](Input a, Input b, Output dst, int64_t n) { multiply(a, b, dst, n); },
      [](Input a, Input b, Output dst, int64_t n) { multiply_reference<double>(a, b, dst, n); });
}

TEST(Elementwise, ScaleMatchesTheReference) {
  expect_matches(
      "scale", [](Input a, Input, Output dst, int64_t n) { scale(a, -1.7, dst, n); },
      [](Input a, Input, Output dst, int64_t n) { scale_reference<double>(a, -1.7, dst, n); });
}

TEST(Elementwise, AxpyMatchesTheReference) {
  expect_matches(
      "axpy", [](Input a, Input, Output dst, int64_t n) { axpy(0.3, a, dst, n); },
      [](Input a, Input, Output dst, int64_t n) { axpy_reference<double>(0.3, a, dst, n); });
}

TEST(Elementwise, LerpMatchesTheReference) {
  expect_matches(
      "lerp", [](Input a, Input b, Output dst, int64_t n) { lerp(a, b, 0.4, dst, n); },
      [](Input a, Input b, Output dst, int64_t n) { lerp_reference<double>(a, b, 0.4, dst, n); });
}

TEST(Elementwise, LerpAtTheEndsOfTheGateIsExact) {
  on_every_target([] {
    const Elements base = Elements::normal(DType::kF32, 1001, "base", 1e-3);
    const Elements adapted = Elements::normal(DType::kF32, 1001, "adapted", 1e3);
    Elements y = unset(DType::kF32, 1001);
    lerp(in(base), in(adapted), 0.0, out(y), 1001);
    EXPECT_TRUE(y == base);
    lerp(in(base), in(adapted), 1.0, out(y), 1001);
    EXPECT_TRUE(y == adapted);
  });
}

TEST(Elementwise, AddBiasMatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, 7 * columns, "x");
        const Elements bias = Elements::normal(DType::kF32, columns, "bias");
        Elements found = unset(dtype, 7 * columns), wanted = unset(DType::kF64, 7 * columns);
        add_bias(in(x), in(bias), out(found), 7, columns);
        add_bias_reference<double>(in(x), in(bias), out(wanted), 7, columns);
        expect_close("add_bias", found, wanted, 1);
      }
    }
  });
}

TEST(Elementwise, ScaleColumnsMatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, 7 * columns, "x");
        const Elements factors = Elements::normal(DType::kF32, columns, "factors");
        Elements found = unset(dtype, 7 * columns), wanted = unset(DType::kF64, 7 * columns);
        scale_columns(in(x), in(factors), out(found), 7, columns);
        scale_columns_reference<double>(in(x), in(factors), out(wanted), 7, columns);
        expect_close("scale_columns", found, wanted, 1);
      }
    }
  });
}

TEST(Elementwise, GivesTheSameBitsEverywhere) {
  const Elements x = Elements::normal(DType::kBF16, 100003, "x");
  expect_same_bits_everywhere([&] {
    Elements y = Elements::normal(DType::kF32, 100003, "y");
    axpy(0.3, in(x), out(y), y.count());
    add_bias(in(y), in(y), out(y), 1, y.count());
    return y;
  });
}

}  // namespace
}  // namespace inlay::kernels
