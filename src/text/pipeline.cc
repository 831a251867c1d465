#include "text/pipeline.h"

#include <limits>

#include "text/byte_alphabet.h"
#include "text/parted_text.h"
#include "text/unicode.h"

namespace inlay::text {

void require_text(std::string_view text) {
  require(text.size() <= kMaxTextBytes, ErrorKind::kInput,
          "the text has {} bytes; at most {} are supported", text.size(), kMaxTextBytes);
  const auto invalid = first_invalid_utf8(text);
  require(!invalid, ErrorKind::kInput,
          "the text is not valid UTF-8: byte 0x{:02X} at offset {}; convert it to UTF-8",
          static_cast<uint8_t>(text[invalid.value_or(0) % std::max<std::size_t>(text.size(), 1)]),
          invalid.value_or(0));
}

namespace {

bool counts_as_space(char32_t c) { return c == kByteLevelSpace || is_space(c); }

// How many characters at its ends are spaces.
void count_spaces(std::string_view written, Token& token) {
  std::size_t at = 0;
  while (at < written.size() && counts_as_space(decode_utf8(written, at).code)) {
    at += decode_utf8(written, at).length;
    ++token.leading_spaces;
  }
  for (at = written.size(); at > 0; ++token.trailing_spaces) {
    at = previous_utf8(written, at);
    if (!counts_as_space(decode_utf8(written, at).code)) return;
  }
}

// Byte positions of a text as character positions.
class CharacterIndex {
 public:
  explicit CharacterIndex(std::string_view text) : size_(static_cast<uint32_t>(text.size())) {
    if (is_ascii(text)) return;
    characters_.reserve(text.size());
    int32_t character = -1;
    for (char c : text) {
      if ((static_cast<uint8_t>(c) & 0xC0) != 0x80) ++character;
      characters_.push_back(character);
    }
  }

  // An end inside a character counts as its start, the end of the text as one past the last
  // character.
  std::pair<int32_t, int32_t> of(Range range) const {
    const auto begin = static_cast<int32_t>(range.begin);
    const auto end = static_cast<int32_t>(range.end);
    if (characters_.empty() || range.begin >= size_) return {begin, end};
    return {characters_[range.begin],
            range.end < size_ ? characters_[range.end] : characters_.back() + 1};
  }

 private:
  std::vector<int32_t> characters_;  // by byte; empty where they are the same
  uint32_t size_;
};

}  // namespace

// The work on one text.
class Pipeline::Run {
 public:
  // `parts` may be null: then `text` is all of one kind.
  Run(const Pipeline& pipeline, std::string_view text, const PartedText* parts, Tokens& tokens)
      : pipeline_(pipeline), text_(text), parts_(parts), characters_(text), tokens_(tokens) {}

  void run() {
    const Range all{0, static_cast<uint32_t>(text_.size())};
    const std::span<const Range> stretches =
        parts_ == nullptr ? std::span(&all, 1) : std::span(parts_->searchable());
    for (const AddedTokens::Part& part : pipeline_.added_->find(text_, stretches)) {
      if (part.token != nullptr) {
        add(*part.token, text_.substr(part.range.begin, part.range.end - part.range.begin),
            part.range, part.written_at);
      } else {
        normalize(part.range);
      }
    }
  }

 private:
  void normalize(Range range) {
    AlignedText normalized(text_, range);
    if (pipeline_.normalizer_ != nullptr) pipeline_.normalizer_->normalize(normalized);
    const Range all{0, normalized.size()};
    const bool is_restricted = parts_ != nullptr && pipeline_.added_->has_normalized();
    const std::vector<Range> between =
        is_restricted ? parts_->searchable_in(normalized) : std::vector<Range>();
    const std::span<const Range> stretches =
        is_restricted ? std::span(between) : std::span(&all, 1);
    for (const AddedTokens::Part& part :
         pipeline_.added_->find_normalized(normalized.bytes(), stretches)) {
      if (part.token != nullptr) {
        add(*part.token, normalized.view(part.range), normalized.origin(part.range),
            normalized.origin(part.written_at).begin);
      } else if (part.range == Range{0, normalized.size()}) {
        return tokenize(std::move(normalized));
      } else {
        tokenize(normalized.slice(part.range));
      }
    }
  }

  void tokenize(AlignedText text) {
    Pieces pieces(std::move(text));
    if (pipeline_.pre_tokenizer_ != nullptr) pipeline_.pre_tokenizer_->pre_tokenize(pieces);
    std::vector<ModelToken> found;
    if (parts_ == nullptr) {
      pipeline_.model_->tokenize(pieces.text().bytes(), pieces.ranges(), {}, found);
    } else {
      tokenize_parts(pieces, found);
    }
    const Vocabulary& vocabulary = pipeline_.model_->vocabulary();
    tokens_.reserve(tokens_.size() + found.size());
    for (const ModelToken& token : found) {
      push(token.id, pieces.text().origin(token.range), word_ + static_cast<int32_t>(token.piece),
           *vocabulary.token(token.id));
    }
    word_ += static_cast<int32_t>(pieces.ranges().size());
  }

  // Piece by piece: special tokens are reserved in those that hold any plain text.
  void tokenize_parts(const Pieces& pieces, std::vector<ModelToken>& found) const {
    for (uint32_t i = 0; i < pieces.ranges().size(); ++i) {
      const Range& piece = pieces.ranges()[i];
      const bool is_plain = parts_->is_plain(pieces.text().origin(piece));
      const std::size_t before = found.size();
      pipeline_.model_->tokenize(pieces.text().bytes(), {&piece, 1},
                                 is_plain ? pipeline_.special_ : TokenSet(), found);
      for (std::size_t t = before; t < found.size(); ++t) found[t].piece = i;
    }
  }

  void add(const AddedToken& token, std::string_view written, Range origin, uint32_t written_at) {
    push(token.id, origin, word_++, written);
    if (parts_ != nullptr) tokens_.back().part = parts_->part_at(written_at);
  }

  void push(int32_t id, Range origin, int32_t word, std::string_view written) {
    const auto [begin, end] = characters_.of(origin);
    Token token{.id = id, .begin = begin, .end = end, .word = word};
    if (parts_ != nullptr) token.part = parts_->part_at(origin.begin);
    count_spaces(written, token);
    tokens_.push_back(token);
  }

  const Pipeline& pipeline_;
  std::string_view text_;
  const PartedText* parts_;
  CharacterIndex characters_;
  Tokens& tokens_;
  int32_t word_ = 0;
};

Pipeline::Pipeline(const Component& file) {
  // Places start with the component's own name: "tokenizer.json: normalizer[1]".
  auto component = [&file](const char* key) {
    return Component(file.child(key).json(), fmt::format("{}: {}", file.place(), key));
  };
  if (file.has("normalizer")) normalizer_ = build_normalizer(component("normalizer"));
  if (file.has("pre_tokenizer")) pre_tokenizer_ = build_pre_tokenizer(component("pre_tokenizer"));
  model_ = build_model(component("model"));
  added_ = std::make_unique<AddedTokens>(file, model_->vocabulary(), normalizer_.get());
  for (const AddedToken& token : added_->tokens()) {
    // A single character stays readable: a vocabulary may have only that one token for it.
    const bool is_character = decode_utf8(token.content, 0).length == token.content.size();
    if (token.special && !is_character) special_.add(token.id);
  }
}

void Pipeline::run(std::string_view text, Tokens& tokens) const {
  require_text(text);
  Run(*this, text, nullptr, tokens).run();
}

void Pipeline::run(const PartedText& text, Tokens& tokens) const {
  Run(*this, text.joined(), &text, tokens).run();
}

}  // namespace inlay::text
