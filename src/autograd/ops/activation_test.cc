#include "autograd/ops/activation.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Activation, KeepsTheContractForEveryKindInEitherPrecision) {
  for (std::string_view name :
       {"gelu", "gelu_new", "quick_gelu", "relu", "tanh", "sigmoid", "silu", "identity"}) {
    for (Precision precision : {Precision::kFull, Precision::kCompute}) {
      SCOPED_TRACE(name);
      expect_op_contract([&](int64_t channels) {
        return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                      .function = [name](OpRun& run) {
                        return activation(run.context, run.x[0], parse_activation(name, "test"));
                      }};
      });
    }
  }
}

TEST(Activation, NamesTheFileAndTheKnownKindsWhenOneIsUnknown) {
  try {
    parse_activation("gleu", "config.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what())
                  .find("config.json: activation \"gleu\" is unknown; expected one of gelu"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace inlay
