// The third stage of a tokenizer: turns every piece of the text into tokens of its vocabulary.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"
#include "text/component.h"
#include "text/vocabulary.h"

namespace inlay::text {

struct ModelToken {
  int32_t id;
  Range range;     // bytes of the text
  uint32_t piece;  // index of the piece
};

class Model {
 public:
  explicit Model(const Component& component) : vocabulary_(component) {}
  virtual ~Model() = default;

  // Appends the tokens of all pieces of `text`, in order.
  virtual void tokenize(std::string_view text, std::span<const Range> pieces,
                        std::vector<ModelToken>& tokens) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  // The name of the unknown token; empty when the model has none.
  virtual std::string_view unknown_token() const = 0;

 private:
  Vocabulary vocabulary_;
};

// The component "model" of a tokenizer file; an unknown type is an Error that lists the known ones.
std::unique_ptr<const Model> build_model(const Component& component);

// One per file.
std::unique_ptr<const Model> build_word_piece(const Component& component);
std::unique_ptr<const Model> build_bpe(const Component& component);
std::unique_ptr<const Model> build_word_level(const Component& component);

}  // namespace inlay::text
