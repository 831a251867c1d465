// Which known name did the writer of an unknown one mean? Used by every "unknown name" message:
//
//   nearest_name("alhpa", {"r", "alpha"})  // "alpha"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal
// string alignment). Only the first 256 bytes of each count, so that a name from an untrusted file
// cannot cost more than that squared.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Up to `count` names, nearest first; equally near ones keep their order. One that begins with
// `name` (three letters or more) is as near as one edit.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& known,
                                       std::size_t count);

// The nearest name, or "" when `known` is empty.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace inlay
