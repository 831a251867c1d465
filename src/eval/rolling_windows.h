// Texts that are longer than a model reads, in windows that overlap: every token is judged once,
// with as much before it as its window holds. This is how Hugging Face's guide "Perplexity of
// fixed-length models" judges long texts.
//
//   length 5, stride 2:    0 1 2 3 4           asked for 1 2 3 4 5
//                              2 3 4 5 6       asked for 6 7
//                                  4 5 6 7     asked for 8, the last
//
// As in the guide, a BOS stands at the beginning of the text alone. A window is asked for the token
// behind its last one, too, so that no token is left out where stride and length are equal.
#pragma once

#include <vector>

#include "eval/encoded_example.h"

namespace inlay {

struct WindowPlan {
  int64_t length = 0;  // tokens that a window holds at the most
  int64_t stride = 0;  // tokens from one window's beginning to the next
};

// `whole` as encode_examples() gives texts and conversations without a limit; answers stay as they
// are, and a window without any is left out. kUsage for a stride below 1 or above the length, and
// for one so small that the windows hold more than 2^26 tokens together.
std::vector<EncodedExample> rolling_windows(const std::vector<EncodedExample>& whole,
                                            const WindowPlan& plan);

}  // namespace inlay
