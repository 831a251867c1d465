// The way back: turns the written forms of tokens into text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/component.h"

namespace inlay::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Rewrites the tokens so that the text is what they spell end to end.
  virtual void decode(std::vector<std::string>& tokens) const = 0;
};

// The component "decoder" of a tokenizer file; an unknown type is an Error that lists the known
// ones.
std::unique_ptr<const Decoder> build_decoder(const Component& component);

}  // namespace inlay::text
