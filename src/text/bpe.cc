// Byte-pair encoding (Sennrich et al. 2016): a word starts as its characters, and the merge rules
// join neighbours in the order in which they were learnt.
#include "text/bpe_merges.h"
#include "text/byte_tokens.h"
#include "text/model.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

class Bpe : public Model {
 public:
  explicit Bpe(const Component& component)
      : Model(component),
        unknown_(component.text_or("unk_token", "")),
        prefix_(component.text_or("continuing_subword_prefix", "")),
        suffix_(component.text_or("end_of_word_suffix", "")),
        fuse_unknown_(component.flag_or("fuse_unk", false)),
        ignore_merges_(component.flag_or("ignore_merges", false)),
        merges_(component, vocabulary(), prefix_),
        byte_ids_(component.flag_or("byte_fallback", false) ? read_byte_tokens(vocabulary())
                                                            : no_byte_tokens()) {
    const auto dropout = json_get_or<double>(component.json(), "dropout", 0.0, component.place());
    require(
        dropout == 0.0, ErrorKind::kInput,
        "{}: dropout is {}; only null is supported, since tokens would differ from call to call",
        component.place(), dropout);
  }

  void tokenize(std::string_view text, std::span<const Range> pieces, const TokenSet& reserved,
                std::vector<ModelToken>& tokens) const override {
    std::vector<Symbol> symbols;
    for (uint32_t i = 0; i < pieces.size(); ++i) {
      const std::string_view word = text.substr(pieces[i].begin, pieces[i].end - pieces[i].begin);
      if (const auto whole = ignore_merges_ ? find(word, reserved) : std::nullopt) {
        tokens.push_back({*whole, pieces[i], i});
        continue;
      }
      symbols.clear();
      add_characters(word, symbols);
      merges_.apply(symbols, reserved);
      uint32_t at = pieces[i].begin;
      for (const Symbol& symbol : symbols) {
        // Characters that the vocabulary lacks leave no symbol, those after them stand too far
        // left: as the reference.
        const uint32_t end = std::min(at + symbol.length, pieces[i].end);
        tokens.push_back({symbol.id, {at, end}, i});
        at = end;  // the bytes of a decorated character may be more than the piece has
      }
    }
  }

  std::string_view unknown_token() const override { return unknown_; }

 private:
  void add_characters(std::string_view word, std::vector<Symbol>& symbols) const {
    Symbol unknown{-1, 0};  // those met since the last known character
    auto flush = [&] {
      if (unknown.length > 0) symbols.push_back(unknown);
      unknown.length = 0;
    };
    std::string decorated;
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t length = decode_utf8(word, at).length;
      const std::string_view character = decorate(word, at, length, decorated);
      at += length;
      if (const auto id = vocabulary().id(character)) {
        flush();
        symbols.push_back({*id, static_cast<uint32_t>(length)});
      } else if (!add_bytes(character, symbols) && !unknown_.empty()) {
        if (!fuse_unknown_) flush();
        unknown = {unknown_id(), unknown.length + static_cast<uint32_t>(length)};
      }
    }
    flush();
  }

  // The character with the marks of its place in the word.
  std::string_view decorate(std::string_view word, std::size_t at, std::size_t length,
                            std::string& decorated) const {
    const std::string_view character = word.substr(at, length);
    const bool inside = at > 0 && !prefix_.empty();
    const bool last = at + length == word.size() && !suffix_.empty();
    if (!inside && !last) return character;
    decorated.assign(inside ? prefix_ : "");
    decorated += character;
    if (last) decorated += suffix_;
    return decorated;
  }

  bool add_bytes(std::string_view character, std::vector<Symbol>& symbols) const {
    for (char c : character) {
      if (byte_ids_[static_cast<uint8_t>(c)] < 0) return false;
    }
    for (char c : character) symbols.push_back({byte_ids_[static_cast<uint8_t>(c)], 1});
    return true;
  }

  int32_t unknown_id() const {
    const std::optional<int32_t> id = vocabulary().id(unknown_);
    require(
        id.has_value(), ErrorKind::kInput,
        "a character is not in the vocabulary, and the unknown token \"{}\" is not in it either",
        unknown_);
    return *id;
  }

  std::string unknown_;
  std::string prefix_;
  std::string suffix_;
  bool fuse_unknown_;
  bool ignore_merges_;
  BpeMerges merges_;
  ByteTokens byte_ids_;
};

}  // namespace

std::unique_ptr<const Model> build_bpe(const Component& component) {
  return std::make_unique<Bpe>(component);
}

}  // namespace inlay::text
