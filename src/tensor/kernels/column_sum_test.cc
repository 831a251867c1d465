#include "tensor/kernels/column_sum.h"

#include "tensor/kernels/column_sum_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

TEST(ColumnSum, MatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, 40 * columns, "x");
        Elements found = unset(DType::kF32, columns), wanted = unset(DType::kF64, columns);
        column_sum(in(x), columns, 3, 37, out(found));
        column_sum_reference<double>(in(x), columns, 3, 37, out(wanted));
        expect_close("column_sum", found, wanted, 34);
      }
    }
  });
}

TEST(ColumnSum, OfProductsMatchesTheReference) {
  on_every_target([] {
    for (int64_t columns : kWidths) {
      for (DType dtype : kFastTypes) {
        const Elements a = Elements::normal(dtype, 40 * columns, "a");
        const Elements b = Elements::normal(DType::kF32, 40 * columns, "b");
        Elements found = unset(DType::kF32, columns), wanted = unset(DType::kF64, columns);
        column_dot(in(a), in(b), columns, 3, 37, out(found));
        column_dot_reference<double>(in(a), in(b), columns, 3, 37, out(wanted));
        expect_close("column_dot", found, wanted, 34);
      }
    }
  });
}

TEST(ColumnSum, OfNoRowsIsZero) {
  const Elements x = Elements::normal(DType::kF32, 100, "x");
  Elements sum = unset(DType::kF32, 10);
  column_sum(in(x), 10, 4, 4, out(sum));
  EXPECT_TRUE(sum == Elements::constant(DType::kF32, 10, 0.0));
}

// The order is the reference's, so every instruction set gives the plain loop's bits.
TEST(ColumnSum, AddsInRowOrder) {
  const Elements x = Elements::normal(DType::kF32, 50 * 101, "x");
  Elements wanted = unset(DType::kF32, 101);
  column_sum_reference<float>(in(x), 101, 0, 50, out(wanted));
  on_every_target([&] {
    Elements found = unset(DType::kF32, 101);
    column_sum(in(x), 101, 0, 50, out(found));
    EXPECT_TRUE(found == wanted);
  });
}

}  // namespace
}  // namespace inlay::kernels
