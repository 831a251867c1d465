// WordLevel: a piece is a token or unknown.
#include "text/model.h"

namespace inlay::text {
namespace {

class WordLevel : public Model {
 public:
  explicit WordLevel(const Component& component)
      : Model(component),
        unknown_(component.text_or("unk_token", "<unk>")),
        unknown_id_(vocabulary().id(unknown_)) {}

  void tokenize(std::string_view text, std::span<const Range> pieces, const TokenSet& reserved,
                std::vector<ModelToken>& tokens) const override {
    for (uint32_t i = 0; i < pieces.size(); ++i) {
      const std::string_view word = text.substr(pieces[i].begin, pieces[i].end - pieces[i].begin);
      const std::optional<int32_t> id = find(word, reserved);
      require(id || unknown_id_, ErrorKind::kInput,
              "the word \"{}\" is not in the vocabulary, and the unknown token \"{}\" is not in it "
              "either",
              word.substr(0, 60), unknown_);
      tokens.push_back({id ? *id : *unknown_id_, pieces[i], i});
    }
  }

  std::string_view unknown_token() const override { return unknown_; }

 private:
  std::string unknown_;
  std::optional<int32_t> unknown_id_;
};

}  // namespace

std::unique_ptr<const Model> build_word_level(const Component& component) {
  return std::make_unique<WordLevel>(component);
}

}  // namespace inlay::text
