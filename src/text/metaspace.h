// The settings of Metaspace, which writes spaces as a visible sign (U+2581) and may put one before
// the text; shared by the pre-tokenizer and the decoder of that name.
#pragma once

#include "text/component.h"

namespace inlay::text {

struct Metaspace {
  enum class Prepend { kAlways, kFirst, kNever };

  explicit Metaspace(const Component& component);

  char32_t replacement;
  Prepend prepend;
  bool split;
};

}  // namespace inlay::text
