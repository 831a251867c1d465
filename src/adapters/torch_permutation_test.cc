// Expected numbers: PyTorch 1.13, torch.randperm(n, generator=torch.Generator().manual_seed(777)).
#include "adapters/torch_permutation.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

using Numbers = std::vector<int64_t>;

TEST(TorchPermutation, IsThatOfPyTorch) {
  EXPECT_EQ(torch_permutation(5, 5, 777), (Numbers{0, 4, 3, 2, 1}));
  EXPECT_EQ(torch_permutation(10, 8, 777), (Numbers{5, 9, 0, 3, 1, 7, 4, 8}));
  EXPECT_EQ(torch_permutation(1280, 8, 777), (Numbers{615, 501, 189, 1042, 267, 457, 385, 93}));
  EXPECT_EQ(torch_permutation(147456, 8, 777),
            (Numbers{96359, 50365, 131849, 102443, 146067, 129450, 139833, 89139}));
}

TEST(TorchPermutation, ABeginningIsThatOfTheWhole) {
  Numbers whole = torch_permutation(100, 100, 3), beginning = torch_permutation(100, 40, 3);
  whole.resize(40);
  EXPECT_EQ(beginning, whole);
}

}  // namespace
}  // namespace inlay
