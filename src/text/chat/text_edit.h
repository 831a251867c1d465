// Cutting and joining of marked text, as Python's string methods do it. Positions are bytes. The
// caller counts that the text is read; what is copied of other arguments is counted here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/chat/value.h"

namespace inlay::chat {

enum class Sides { kBoth, kLeft, kRight };

// Without `characters`, whitespace.
MarkedText stripped(Heap& heap, const MarkedText& text, Sides sides,
                    std::optional<std::string_view> characters = std::nullopt);

// `count` < 0: all of them. An empty `old` stands before every character and at the end.
MarkedText replaced(const MarkedText& text, std::string_view old, const MarkedText& replacement,
                    int64_t count);

// At most `limit` cuts (< 0: all), from the left or from the right. The pieces are strings of the
// heap, so that a text cannot be cut into more than the budget allows. REQUIRES: separator not
// empty.
std::vector<Value> split(Heap& heap, const MarkedText& text, std::string_view separator,
                         int64_t limit);
std::vector<Value> split_from_right(Heap& heap, const MarkedText& text, std::string_view separator,
                                    int64_t limit);
// The same at whitespace, without empty pieces.
std::vector<Value> split_words(Heap& heap, const MarkedText& text, int64_t limit);
std::vector<Value> split_lines(Heap& heap, const MarkedText& text, bool keep_ends);

std::optional<std::size_t> find_last(Heap& heap, std::string_view text, std::string_view wanted);

}  // namespace inlay::chat
