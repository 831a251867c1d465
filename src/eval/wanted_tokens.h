// What language models are asked for in a batch.
#pragma once

#include "eval/encoded_example.h"

namespace inlay {

// The tokens that are wanted at the places asked about, example by example.
std::vector<int32_t> wanted_tokens(ExampleSpan examples);

}  // namespace inlay
