// The Unicode normalisation forms on a text that keeps track of its origins, with the reference's
// attribution: of the parts of a decomposed character the first stands for the character, further
// ones follow the part before them.
#pragma once

#include "text/aligned_text.h"
#include "text/unicode.h"

namespace inlay::text {

void decompose(AlignedText& text, Decomposition kind);              // NFD, NFKD
void decompose_and_compose(AlignedText& text, Decomposition kind);  // NFC, NFKC

}  // namespace inlay::text
