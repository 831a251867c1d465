#include "tensor/transposed.h"

#include <gtest/gtest.h>

#include <vector>

namespace inlay {
namespace {

template <class T>
void expect_turned() {
  SCOPED_TRACE(dtype_name(dtype_of<T>()));
  std::vector<T> numbers{T(1), T(2), T(3), T(4), T(5), T(6)};
  Tensor turned = transposed(Tensor::of<T>({2, 3}, numbers));
  EXPECT_EQ(turned.shape(), Shape({3, 2}));
  const T* found = turned.data<T>();
  for (int expected : {1, 4, 2, 5, 3, 6}) EXPECT_EQ(static_cast<float>(*found++), expected);
}

TEST(Transposed, ExchangesRowsAndColumnsOfElementsOfEverySize) {
  expect_turned<uint8_t>();
  expect_turned<BFloat16>();
  expect_turned<float>();
  expect_turned<double>();
}

TEST(Transposed, TurnsAMatrixWithoutRows) {
  Tensor turned = transposed(Tensor::empty({0, 3}, DType::kF32));
  EXPECT_EQ(turned.shape(), Shape({3, 0}));
}

TEST(Transposed, RefusesWhatIsNoMatrix) {
  EXPECT_THROW(transposed(Tensor::zeros({2, 3, 4}, DType::kF32)), Error);
}

}  // namespace
}  // namespace inlay
