// WordPiece (Schuster and Nakajima 2012, as BERT uses it): a word is cut greedily into the longest
// tokens of the vocabulary from left to right; tokens inside a word carry a prefix. A word that
// cannot be cut is unknown as a whole.
#include "text/byte_trie.h"
#include "text/model.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

// With a larger limit a single long word could take quadratic time.
constexpr int64_t kMaxCharsPerWord = 10'000;

class WordPiece : public Model {
 public:
  explicit WordPiece(const Component& component)
      : Model(component),
        unknown_(component.text_or("unk_token", "[UNK]")),
        max_chars_(json_get_or<int64_t>(component.json(), "max_input_chars_per_word", 100,
                                        component.place())) {
    require(max_chars_ >= 0 && max_chars_ <= kMaxCharsPerWord, ErrorKind::kInput,
            "{}: max_input_chars_per_word is {}; expected 0 to {}", component.place(), max_chars_,
            kMaxCharsPerWord);
    const std::string prefix = component.text_or("continuing_subword_prefix", "##");
    for (std::size_t i = 0; i < vocabulary().size(); ++i) {
      const std::string_view token = vocabulary().token_at(i);
      first_.insert(token, vocabulary().id_at(i));
      if (token.starts_with(prefix))
        following_.insert(token.substr(prefix.size()), vocabulary().id_at(i));
    }
    unknown_id_ = vocabulary().id(unknown_);
  }

  void tokenize(std::string_view text, std::span<const Range> pieces, const TokenSet& reserved,
                std::vector<ModelToken>& tokens) const override {
    for (uint32_t i = 0; i < pieces.size(); ++i) {
      const std::size_t before = tokens.size();
      if (cut(text.substr(pieces[i].begin, pieces[i].end - pieces[i].begin), reserved, tokens)) {
        place(before, pieces[i].begin, i, tokens);
        continue;
      }
      require(unknown_id_.has_value(), ErrorKind::kInput,
              "a word is not in the vocabulary, and the unknown token \"{}\" is not in it either",
              unknown_);
      tokens.resize(before);
      tokens.push_back({*unknown_id_, pieces[i], i});
    }
  }

  std::string_view unknown_token() const override { return unknown_; }

 private:
  // Appends the tokens of a word, as if it stood at the start of the text. False when the word is
  // too long or some part of it is in no token.
  bool cut(std::string_view word, const TokenSet& reserved, std::vector<ModelToken>& tokens) const {
    const auto limit = static_cast<std::size_t>(max_chars_);
    if (word.size() > limit && count_utf8_chars(word) > limit) return false;
    const auto is_free = [&reserved](int32_t id) { return !reserved.contains(id); };
    for (uint32_t at = 0; at < word.size();) {
      const ByteTrie& trie = at == 0 ? first_ : following_;
      const ByteTrie::Hit hit = trie.longest_prefix(word.substr(at), is_free);
      if (hit.length == 0) return false;
      tokens.push_back({hit.value, {at, at + hit.length}, 0});
      at += hit.length;
    }
    return true;
  }

  // Puts the tokens from `first` on where their word stands.
  static void place(std::size_t first, uint32_t begin, uint32_t piece,
                    std::vector<ModelToken>& tokens) {
    for (std::size_t i = first; i < tokens.size(); ++i) {
      tokens[i].range = {tokens[i].range.begin + begin, tokens[i].range.end + begin};
      tokens[i].piece = piece;
    }
  }

  std::string unknown_;
  int64_t max_chars_;
  std::optional<int32_t> unknown_id_;
  ByteTrie first_;      // whole tokens, for the start of a word
  ByteTrie following_;  // tokens with the prefix, without it
};

}  // namespace

std::unique_ptr<const Model> build_word_piece(const Component& component) {
  return std::make_unique<WordPiece>(component);
}

}  // namespace inlay::text
