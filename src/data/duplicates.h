// Texts that stand both in the part that is trained on and in a part that is measured: they make a
// figure look better than it is. They are reported, never moved. Two texts are the same when they
// agree after folding case and runs of white space (Unicode, whatever the locale); pairs when both
// sides agree.
//
//   Duplicates found = find_duplicates(data, split.train, split.test);
//   if (found.count > 0) log("{} test texts are also in train, such as {}", found.count,
//   found.first[0].describe(data));
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace inlay {

struct Duplicates {
  struct Pair {
    std::size_t measured;
    std::size_t trained;  // the first of them
    // "Great film." (test.csv:3 and train.csv:17)
    std::string describe(const Dataset& data) const;
  };
  std::size_t count = 0;    // measured examples whose text is trained on
  std::vector<Pair> first;  // at most three
};

Duplicates find_duplicates(const Dataset& data, std::span<const std::size_t> trained,
                           std::span<const std::size_t> measured);

// What is compared: lower case, single spaces, none at the ends.
std::string folded(std::string_view text);

}  // namespace inlay
