#include "eval/metrics/answers.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <map>

namespace inlay {
namespace {

using Words = std::vector<std::string>;

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// Lower case as Python's str.lower(), for all of Unicode.
std::string lower_case(std::string_view text) {
  std::string lower;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower);
  return lower;
}

bool is_word_character(UChar32 c) {
  constexpr uint32_t kOtherNumbers = U_GC_NL_MASK | U_GC_NO_MASK;
  return u_isalnum(c) != 0 || (U_GET_GC_MASK(c) & kOtherNumbers) != 0;
}

// A space in place of every a, an and the that stands between other characters than letters and
// digits, as the regular expression \b(a|an|the)\b finds them.
icu::UnicodeString without_articles(const icu::UnicodeString& text) {
  icu::UnicodeString kept, word;
  auto finish = [&] {
    bool article = word == u"a" || word == u"an" || word == u"the";
    kept.append(article ? icu::UnicodeString(u" ") : word);
    word.remove();
  };
  for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    UChar32 c = text.char32At(at);
    if (is_word_character(c)) {
      word.append(c);
    } else {
      finish();
      kept.append(c);
    }
  }
  finish();
  return kept;
}

// At white space, as Python's str.split().
Words words_in(const icu::UnicodeString& text) {
  icu::UnicodeString word;
  Words words;
  auto finish = [&] {
    if (!word.isEmpty()) word.toUTF8String(words.emplace_back());
    word.remove();
  };
  for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    UChar32 c = text.char32At(at);
    if (u_isUWhiteSpace(c) != 0) {
      finish();
    } else {
      word.append(c);
    }
  }
  finish();
  return words;
}

Words normalized_words(std::string_view text) {
  std::string lower = lower_case(text);
  std::erase_if(lower, is_punctuation);
  return words_in(without_articles(icu::UnicodeString::fromUTF8(lower)));
}

double f1_of(const Words& predicted, const Words& truth) {
  if (predicted.empty() || truth.empty()) return predicted == truth ? 1 : 0;
  std::map<std::string, int64_t> left;
  for (const std::string& word : truth) ++left[word];
  double shared = 0;
  for (const std::string& word : predicted) {
    if (left[word]-- > 0) ++shared;
  }
  // 2 P R / (P + R) with P = shared / predicted, R = shared / truth
  return 2 * shared / static_cast<double>(predicted.size() + truth.size());
}

template <class Figure>
double best_of(std::string_view predicted, const std::vector<std::string>& truths,
               const Figure& figure) {
  std::vector<Words> right;  // those of which something is left
  for (const std::string& truth : truths) {
    Words words = normalized_words(truth);
    if (!words.empty()) right.push_back(std::move(words));
  }
  if (right.empty()) right.emplace_back();
  Words words = normalized_words(predicted);
  double best = 0;
  for (const Words& truth : right) best = std::max(best, figure(words, truth));
  return best;
}

}  // namespace

std::string normalized_answer(std::string_view text) {
  std::string joined;
  for (const std::string& word : normalized_words(text))
    joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

double exact_match(std::string_view predicted, const std::vector<std::string>& truths) {
  return best_of(predicted, truths,
                 [](const Words& a, const Words& b) { return a == b ? 1.0 : 0.0; });
}

double answer_f1(std::string_view predicted, const std::vector<std::string>& truths) {
  return best_of(predicted, truths, f1_of);
}

}  // namespace inlay
