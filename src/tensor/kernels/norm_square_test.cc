#include "tensor/kernels/norm_square.h"

#include "tensor/kernels/norm_square_reference.h"
#include "tensor/kernels/operand_test.h"

namespace inlay::kernels {
namespace {

TEST(NormSquare, MatchesTheReference) {
  on_every_target([] {
    for (int64_t count : {0, 1, 7, 100, 4095, 4096, 4097, 100001}) {
      for (DType dtype : kFastTypes) {
        const Elements x = Elements::normal(dtype, count, "x");
        const double wanted = norm_square_reference(in(x), count);
        EXPECT_NEAR(norm_square(in(x), count), wanted, wanted * 1e-13)
            << count << " of " << dtype_name(dtype);
      }
    }
  });
}

TEST(NormSquare, DoesNotOverflowWhereFloatsWould) {
  const std::vector<float> x(5000, 1e30f);
  EXPECT_NEAR(norm_square(x.data(), 5000), 5e63, 1e57);
}

TEST(NormSquare, GivesTheSameBitsEverywhere) {
  const Elements x = Elements::normal(DType::kF32, 200003, "x");
  expect_same_bits_everywhere([&] {
    Elements sum = unset(DType::kF64, 1);
    out(sum).store(0, norm_square(in(x), x.count()));
    return sum;
  });
}

}  // namespace
}  // namespace inlay::kernels
