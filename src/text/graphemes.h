// Where a text may be cut between two of what its reader takes for characters: an accent stays with
// its letter, a family of emoji together (Unicode Standard Annex 29, extended grapheme clusters).
// The rule for Indic conjuncts (GB9c, of Unicode 15.1) is left out.
#pragma once

#include <cstddef>
#include <string_view>

namespace inlay::text {

// The end of the cluster that begins at byte `at`. REQUIRES: valid UTF-8, at < text.size().
std::size_t grapheme_end(std::string_view text, std::size_t at);

}  // namespace inlay::text
