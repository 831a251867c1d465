#include "eval/wanted_tokens.h"

namespace inlay {

std::vector<int32_t> wanted_tokens(ExampleSpan examples) {
  std::vector<int32_t> tokens;
  for (const EncodedExample* example : examples)
    tokens.insert(tokens.end(), example->answers.begin(), example->answers.end());
  return tokens;
}

}  // namespace inlay
