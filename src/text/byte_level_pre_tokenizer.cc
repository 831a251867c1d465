// ByteLevel: cuts the text as GPT-2 does and writes every byte as one character of the byte
// alphabet.
#include "text/byte_alphabet.h"
#include "text/pre_tokenizer.h"
#include "text/regex.h"
#include "text/splitting.h"

namespace inlay::text {
namespace {

// Radford et al. 2019: contractions, then words, numbers and signs with the space before them, then
// white space of which the last one is left to the word that follows.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const Component& component)
      : prefix_space_(component.flag_or("add_prefix_space", true)) {
    if (component.flag_or("use_regex", true)) words_.emplace(kGpt2Pattern, component.place());
  }

  void pre_tokenize(Pieces& pieces) const override {
    if (prefix_space_) add_prefix_spaces(pieces);
    if (words_) split_words(pieces);
    pieces.rewrite([](const AlignedText& text, Range piece, AlignedText::Builder& out) {
      for (uint32_t at = piece.begin; at < piece.end; ++at) {
        out.put(byte_to_character(static_cast<uint8_t>(text.bytes()[at])), text.origin(at));
      }
    });
  }

 private:
  static void add_prefix_spaces(Pieces& pieces) {
    pieces.rewrite([](const AlignedText& text, Range piece, AlignedText::Builder& out) {
      if (text.bytes()[piece.begin] != ' ') out.put(U' ', text.origin(piece.begin));
      out.keep(piece.begin, piece.end);
    });
  }

  void split_words(Pieces& pieces) const {
    std::vector<Range> matches;
    pieces.split([&](std::string_view text, std::vector<Range>& parts) {
      matches.clear();
      words_->find_all(text, matches);
      split_stretches(stretches(static_cast<uint32_t>(text.size()), matches, false),
                      SplitBehavior::kIsolated, parts);
    });
  }

  bool prefix_space_;
  std::optional<Regex> words_;
};

}  // namespace

std::unique_ptr<const PreTokenizer> build_byte_level_pre_tokenizer(const Component& component) {
  return std::make_unique<ByteLevelPreTokenizer>(component);
}

}  // namespace inlay::text
