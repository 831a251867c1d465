// Python's str methods. Each reads its subject once, which the budget counts.
#include <unicode/uchar.h>

#include <algorithm>

#include "text/chat/arguments.h"
#include "text/chat/compare.h"
#include "text/chat/methods.h"
#include "text/chat/text_case.h"
#include "text/chat/text_edit.h"
#include "text/chat/text_join.h"
#include "text/chat/whitespace.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

const MarkedText& read(Heap& heap, Value self) {
  heap.budget.text(self.text().size());
  return self.text();
}

template <MarkedText (*kChange)(const MarkedText&)>
Value change(Heap& heap, Value self, const Arguments& arguments) {
  const Bound none("this method", arguments, {});
  return heap.text(kChange(read(heap, self)));
}

template <Sides kSides>
Value strip(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("strip", arguments, {"chars"});
  const std::optional<Value> characters = bound.text(0);
  if (!characters) return heap.text(stripped(heap, read(heap, self), kSides));
  return heap.text(stripped(heap, read(heap, self), kSides, characters->bytes()));
}

template <bool kFromRight>
Value split_method(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("split", arguments, {"sep", "maxsplit"});
  const std::optional<Value> separator = bound.text(0);
  const int64_t limit = bound.integer(1, -1);
  const MarkedText& text = read(heap, self);
  if (!separator) {
    if (kFromRight && limit >= 0) refuse("rsplit at whitespace with a limit is not supported");
    return heap.list(split_words(heap, text, limit));
  }
  if (separator->text().empty()) refuse("the separator of split is empty");
  return heap.list(kFromRight ? split_from_right(heap, text, separator->bytes(), limit)
                              : split(heap, text, separator->bytes(), limit));
}

Value splitlines(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("splitlines", arguments, {"keepends"});
  return heap.list(split_lines(heap, read(heap, self), bound.flag(0, false)));
}

template <bool kFromRight>
Value partition(Heap& heap, Value self, const Arguments& arguments) {
  const Value separator = Bound("partition", arguments, {"sep"}).required_text(0);
  const MarkedText& text = read(heap, self);
  const std::string& wanted = separator.bytes();
  if (wanted.empty()) refuse("the separator of partition is empty");
  const std::optional<std::size_t> last =
      kFromRight ? find_last(heap, text.bytes(), wanted) : std::nullopt;
  const std::size_t at =
      kFromRight ? last.value_or(std::string::npos) : find_bytes(text.bytes(), wanted, 0);
  const Value empty = heap.text("");
  if (at == std::string::npos) {
    const std::vector<Value> whole = kFromRight ? std::vector<Value>{empty, empty, self}
                                                : std::vector<Value>{self, empty, empty};
    return heap.list(whole, Flavour::kTuple);
  }
  const std::size_t end = at + wanted.size();
  return heap.list({heap.text(text.slice(0, at)), heap.text(text.slice(at, end)),
                    heap.text(text.slice(end, text.size()))},
                   Flavour::kTuple);
}

// Whether the text begins or ends with a string, or with one of a tuple of strings.
template <bool kStart>
Value has_affix(Heap& heap, Value self, const Arguments& arguments) {
  const Value wanted = Bound(kStart ? "startswith" : "endswith", arguments, {"affix"}).required(0);
  const std::string_view text = self.bytes();
  auto fits = [&](Value affix) {
    if (!affix.is_string()) {
      refuse("{} needs a string, found a {}", kStart ? "startswith" : "endswith",
             affix.type_name());
    }
    heap.budget.text(affix.text().size());
    return kStart ? text.starts_with(affix.bytes()) : text.ends_with(affix.bytes());
  };
  if (!wanted.is_list()) return Value(fits(wanted));
  const std::vector<Value> affixes = elements(heap, wanted);
  return Value(std::any_of(affixes.begin(), affixes.end(), fits));
}

Value removeprefix(Heap& heap, Value self, const Arguments& arguments) {
  const Value prefix = Bound("removeprefix", arguments, {"prefix"}).required_text(0);
  if (!self.bytes().starts_with(read(heap, prefix).bytes())) return self;
  return heap.text(read(heap, self).slice(prefix.text().size(), self.text().size()));
}

Value removesuffix(Heap& heap, Value self, const Arguments& arguments) {
  const Value suffix = Bound("removesuffix", arguments, {"suffix"}).required_text(0);
  if (!self.bytes().ends_with(read(heap, suffix).bytes())) return self;
  return heap.text(read(heap, self).slice(0, self.text().size() - suffix.text().size()));
}

Value replace(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("replace", arguments, {"old", "new", "count"});
  return heap.text(replaced(read(heap, self), bound.required_text(0).bytes(),
                            bound.required_text(1).text(), bound.integer(2, -1)));
}

Value join(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("join", arguments, {"iterable"});
  const std::vector<Value> parts = elements(heap, bound.required(0));
  for (const Value& part : parts) {
    if (!part.is_string()) refuse("join needs strings, found a {}", part.type_name());
  }
  return heap.text(joined(heap, parts, self.text()));
}

int64_t characters_before(std::string_view text, std::size_t byte) {
  return static_cast<int64_t>(text::count_utf8_chars(text.substr(0, byte)));
}

Value find(Heap& heap, Value self, const Arguments& arguments) {
  const Value wanted = Bound("find", arguments, {"sub"}).required_text(0);
  const std::size_t at = find_bytes(read(heap, self).bytes(), wanted.bytes(), 0);
  return Value(at == std::string::npos ? int64_t{-1} : characters_before(self.bytes(), at));
}

Value rfind(Heap& heap, Value self, const Arguments& arguments) {
  const Value wanted = Bound("rfind", arguments, {"sub"}).required_text(0);
  const auto at = find_last(heap, read(heap, self).bytes(), wanted.bytes());
  return Value(at ? characters_before(self.bytes(), *at) : int64_t{-1});
}

Value count(Heap& heap, Value self, const Arguments& arguments) {
  const Value wanted = Bound("count", arguments, {"sub"}).required_text(0);
  const std::string& text = read(heap, self).bytes();
  if (wanted.text().empty()) return Value(characters_before(text, text.size()) + 1);
  int64_t result = 0;
  for (std::size_t at = find_bytes(text, wanted.bytes(), 0); at != std::string::npos;
       at = find_bytes(text, wanted.bytes(), at + wanted.text().size())) {
    ++result;
  }
  return Value(result);
}

template <bool (*kHolds)(char32_t)>
Value all_are(Heap& heap, Value self, const Arguments& arguments) {
  const Bound none("this method", arguments, {});
  const std::string& text = read(heap, self).bytes();
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char c = text::decode_utf8(text, at);
    if (!kHolds(c.code)) return Value(false);
    at += c.length;
  }
  return Value(!text.empty());
}

bool is_digit(char32_t c) { return u_isdigit(static_cast<UChar32>(c)) != 0; }
bool is_letter(char32_t c) { return u_isalpha(static_cast<UChar32>(c)) != 0; }
bool is_letter_or_digit(char32_t c) { return u_isalnum(static_cast<UChar32>(c)) != 0; }

constexpr Method kMethods[] = {
    {"capitalize", change<capitalized>},
    {"count", count},
    {"endswith", has_affix<false>},
    {"find", find},
    {"isalnum", all_are<is_letter_or_digit>},
    {"isalpha", all_are<is_letter>},
    {"isdigit", all_are<is_digit>},
    {"isspace", all_are<is_python_space>},
    {"join", join},
    {"lower", change<to_lower>},
    {"lstrip", strip<Sides::kLeft>},
    {"partition", partition<false>},
    {"removeprefix", removeprefix},
    {"removesuffix", removesuffix},
    {"replace", replace},
    {"rfind", rfind},
    {"rpartition", partition<true>},
    {"rsplit", split_method<true>},
    {"rstrip", strip<Sides::kRight>},
    {"split", split_method<false>},
    {"splitlines", splitlines},
    {"startswith", has_affix<true>},
    {"strip", strip<Sides::kBoth>},
    {"title", change<titled>},
    {"upper", change<to_upper>},
};

}  // namespace

std::span<const Method> string_methods() { return kMethods; }

}  // namespace inlay::chat
