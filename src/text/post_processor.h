// The last stage of encoding: puts special tokens around one or two texts, sets type ids, trims
// offsets.
#pragma once

#include <memory>
#include <vector>

#include "text/component.h"
#include "text/tokens.h"

namespace inlay::text {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;

  // How many special tokens `process` adds to one text or a pair.
  virtual int64_t added_tokens(bool pair) const = 0;

  // `sequences` is one text or two; afterwards it is whatever stands in a row in the result.
  virtual void process(std::vector<Tokens>& sequences, bool add_special_tokens) const = 0;
};

// The component "post_processor" of a tokenizer file; an unknown type is an Error that lists the
// known ones.
std::unique_ptr<const PostProcessor> build_post_processor(const Component& component);

// The one with a file of its own.
std::unique_ptr<const PostProcessor> build_template_processing(const Component& component);

}  // namespace inlay::text
