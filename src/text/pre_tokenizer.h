// The second stage of a tokenizer: cuts the text into pieces that no token may cross.
#pragma once

#include <memory>

#include "text/component.h"
#include "text/pieces.h"

namespace inlay::text {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void pre_tokenize(Pieces& pieces) const = 0;
};

// The component "pre_tokenizer" of a tokenizer file; an unknown type is an Error that lists the
// known ones.
std::unique_ptr<const PreTokenizer> build_pre_tokenizer(const Component& component);

// Those with files of their own.
std::unique_ptr<const PreTokenizer> build_byte_level_pre_tokenizer(const Component& component);
std::unique_ptr<const PreTokenizer> build_metaspace_pre_tokenizer(const Component& component);

}  // namespace inlay::text
