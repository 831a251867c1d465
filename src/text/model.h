// The third stage of a tokenizer: turns every piece of the text into tokens of its vocabulary.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"
#include "text/component.h"
#include "text/token_set.h"
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
  explicit Model(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~Model() = default;

  // Appends the tokens of all pieces of `text`, in order. The text does not spell a `reserved`
  // token, even where it looks like one; the unknown token may still stand for what is unknown.
  virtual void tokenize(std::string_view text, std::span<const Range> pieces,
                        const TokenSet& reserved, std::vector<ModelToken>& tokens) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  // The name of the unknown token; empty when the model has none.
  virtual std::string_view unknown_token() const = 0;

 protected:
  // The token that is written so, unless it is reserved.
  std::optional<int32_t> find(std::string_view written, const TokenSet& reserved) const {
    const std::optional<int32_t> id = vocabulary_.id(written);
    return id && reserved.contains(*id) ? std::nullopt : id;
  }

 private:
  Vocabulary vocabulary_;
};

// The component "model" of a tokenizer file; an unknown type is an Error that lists the known ones.
std::unique_ptr<const Model> build_model(const Component& component);

// One per file.
std::unique_ptr<const Model> build_word_piece(const Component& component);
std::unique_ptr<const Model> build_bpe(const Component& component);
std::unique_ptr<const Model> build_word_level(const Component& component);
std::unique_ptr<const Model> build_unigram(const Component& component);

}  // namespace inlay::text
