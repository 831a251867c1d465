#include "text/chat/text_case.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/edits.h>
#include <unicode/stringoptions.h>
#include <unicode/uchar.h>

#include "base/error.h"
#include "text/chat/whitespace.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

enum class Case { kLower, kUpper, kTitle };

void map_case(Case wanted, icu::StringPiece source, icu::ByteSink& sink, icu::Edits& edits,
              UErrorCode& status) {
  if (wanted == Case::kLower) icu::CaseMap::utf8ToLower("", 0, source, sink, &edits, status);
  if (wanted == Case::kUpper) icu::CaseMap::utf8ToUpper("", 0, source, sink, &edits, status);
  if (wanted == Case::kTitle) {
    icu::CaseMap::utf8ToTitle("", U_TITLECASE_WHOLE_STRING | U_TITLECASE_NO_BREAK_ADJUSTMENT,
                              nullptr, source, sink, &edits, status);
  }
}

// Most texts, and much faster: every character keeps its place.
MarkedText mapped_ascii(Case wanted, const MarkedText& text) {
  std::string bytes = text.bytes();
  const char first = wanted == Case::kLower ? 'A' : 'a';
  for (char& c : bytes) {
    if (c >= first && c < first + 26) c = static_cast<char>(c ^ 0x20);
  }
  MarkedText result;
  std::size_t begin = 0;
  for (const auto& [end, mark] : text.runs()) {
    result.append(std::string_view(bytes).substr(begin, end - begin), mark);
    begin = end;
  }
  return result;
}

// Each piece that changes takes the mark of what it replaces.
MarkedText mapped(Case wanted, const MarkedText& text) {
  if (wanted != Case::kTitle && text::is_ascii(text.bytes())) return mapped_ascii(wanted, text);
  std::string bytes;
  icu::StringByteSink<std::string> sink(&bytes);
  icu::Edits edits;
  UErrorCode status = U_ZERO_ERROR;
  map_case(wanted, {text.bytes().data(), static_cast<int32_t>(text.size())}, sink, edits, status);
  MarkedText result;
  auto edit = edits.getFineIterator();
  while (edit.next(status)) {
    const auto from = static_cast<std::size_t>(edit.sourceIndex());
    const auto to = static_cast<std::size_t>(edit.destinationIndex());
    if (edit.hasChange()) {
      result.append(std::string_view(bytes).substr(to, static_cast<std::size_t>(edit.newLength())),
                    text.mark_at(from));
    } else {
      result.append(text, from, from + static_cast<std::size_t>(edit.oldLength()));
    }
  }
  ensure(U_SUCCESS(status), "change of case failed: {}", u_errorName(status));
  return result;
}

// The word [begin, end) with its first character in `first_case` and the rest in lower case. Jinja
// lowers the rest by itself, Python in the context of the whole word, which a final sigma shows.
enum class Rest { kByItself, kInContext };

void append_word(const MarkedText& text, std::size_t begin, std::size_t end, Case first_case,
                 Rest rest, MarkedText& out) {
  if (begin == end) return;
  const std::size_t second = begin + text::decode_utf8(text.bytes(), begin).length;
  const MarkedText first = text.slice(begin, second);
  out.append(mapped(first_case, first));
  if (rest == Rest::kByItself) {
    out.append(to_lower(text.slice(second, end)));
  } else {
    const MarkedText word = to_lower(text.slice(begin, end));
    out.append(word, to_lower(first).size(), word.size());
  }
}

bool is_cased(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_CASED) != 0; }

// What the filter `title` looks for between words.
bool separates_words(char32_t c) {
  constexpr std::string_view kOpening = "-({[<";
  return is_python_space(c) ||
         (c < 0x80 && kOpening.find(static_cast<char>(c)) != std::string_view::npos);
}

// Copies what lies between words as it is.
MarkedText with_words(const MarkedText& text, bool (*in_word)(char32_t), Case first_case,
                      Rest rest) {
  MarkedText result;
  std::size_t word = 0;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char c = text::decode_utf8(text.bytes(), at);
    if (!in_word(c.code)) {
      append_word(text, word, at, first_case, rest, result);
      result.append(text, at, at + c.length);
      word = at + c.length;
    }
    at += c.length;
  }
  append_word(text, word, text.size(), first_case, rest, result);
  return result;
}

}  // namespace

MarkedText to_lower(const MarkedText& text) { return mapped(Case::kLower, text); }

MarkedText to_upper(const MarkedText& text) { return mapped(Case::kUpper, text); }

MarkedText capitalized(const MarkedText& text) {
  MarkedText result;
  append_word(text, 0, text.size(), Case::kTitle, Rest::kInContext, result);
  return result;
}

MarkedText titled(const MarkedText& text) {
  return with_words(text, is_cased, Case::kTitle, Rest::kInContext);
}

MarkedText titled_by_filter(const MarkedText& text) {
  return with_words(
      text, [](char32_t c) { return !separates_words(c); }, Case::kUpper, Rest::kByItself);
}

}  // namespace inlay::chat
