// Measures of answers as text, by SQuAD's rules: Rajpurkar et al. 2016, section 6.1. Text is
// compared in lower case, without punctuation (ASCII's) and the words a, an and the, with single
// spaces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inlay {

std::string normalized_answer(std::string_view text);

// 1 or 0: whether the normalised texts are equal to any of the truths. Without truths the right
// answer is the empty one.
double exact_match(std::string_view predicted, const std::vector<std::string>& truths);

// The largest F1 of the words that prediction and truth share, counted with repeats; equality where
// either has no words.
double answer_f1(std::string_view predicted, const std::vector<std::string>& truths);

}  // namespace inlay
