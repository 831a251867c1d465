#include "text/pre_tokenizer.h"

#include "text/pattern.h"
#include "text/splitting.h"
#include "text/unicode.h"

namespace inlay::text {
namespace {

// White space is dropped, every punctuation character is a piece of its own.
class BertPreTokenizer : public PreTokenizer {
 public:
  explicit BertPreTokenizer(const Component&) {}
  void pre_tokenize(Pieces& pieces) const override {
    pieces.split([](std::string_view text, std::vector<Range>& parts) {
      uint32_t begin = 0;
      for (uint32_t at = 0; at < text.size();) {
        const Utf8Char c = decode_utf8(text, at);
        const uint32_t end = at + static_cast<uint32_t>(c.length);
        const bool punctuation = is_punctuation(c.code);
        if (punctuation || is_space(c.code)) {
          parts.push_back({begin, at});
          if (punctuation) parts.push_back({at, end});
          begin = end;
        }
        at = end;
      }
      parts.push_back({begin, static_cast<uint32_t>(text.size())});
    });
  }
};

// Cuts at every character of a class.
template <class IsDelimiter>
void split_characters(Pieces& pieces, IsDelimiter is_delimiter, SplitBehavior behavior) {
  pieces.split([&](std::string_view text, std::vector<Range>& parts) {
    split_stretches(character_stretches(text, is_delimiter), behavior, parts);
  });
}

class WhitespaceSplit : public PreTokenizer {
 public:
  explicit WhitespaceSplit(const Component&) {}
  void pre_tokenize(Pieces& pieces) const override {
    split_characters(pieces, is_space, SplitBehavior::kRemoved);
  }
};

// Runs of word characters and runs of what is neither word nor space: \w+|[^\w\s]+
class Whitespace : public PreTokenizer {
 public:
  explicit Whitespace(const Component&) {}
  void pre_tokenize(Pieces& pieces) const override {
    pieces.split([](std::string_view text, std::vector<Range>& parts) {
      enum class Kind { kSpace, kWord, kOther };
      Kind before = Kind::kSpace;
      for (uint32_t at = 0; at < text.size();) {
        const Utf8Char c = decode_utf8(text, at);
        const uint32_t end = at + static_cast<uint32_t>(c.length);
        const Kind kind = is_word(c.code)    ? Kind::kWord
                          : is_space(c.code) ? Kind::kSpace
                                             : Kind::kOther;
        if (kind != Kind::kSpace && kind == before) {
          parts.back().end = end;
        } else if (kind != Kind::kSpace) {
          parts.push_back({at, end});
        }
        before = kind;
        at = end;
      }
    });
  }
};

class CharDelimiterSplit : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(const Component& component)
      : delimiter_(component.character("delimiter")) {}
  void pre_tokenize(Pieces& pieces) const override {
    split_characters(
        pieces, [this](char32_t c) { return c == delimiter_; }, SplitBehavior::kRemoved);
  }

 private:
  char32_t delimiter_;
};

class Punctuation : public PreTokenizer {
 public:
  explicit Punctuation(const Component& component)
      : behavior_(read_split_behavior(component, SplitBehavior::kIsolated)) {}
  void pre_tokenize(Pieces& pieces) const override {
    split_characters(pieces, is_punctuation, behavior_);
  }

 private:
  SplitBehavior behavior_;
};

class Digits : public PreTokenizer {
 public:
  explicit Digits(const Component& component)
      : behavior_(component.flag_or("individual_digits", false) ? SplitBehavior::kIsolated
                                                                : SplitBehavior::kContiguous) {}
  void pre_tokenize(Pieces& pieces) const override {
    split_characters(pieces, is_numeric, behavior_);
  }

 private:
  SplitBehavior behavior_;
};

class Split : public PreTokenizer {
 public:
  explicit Split(const Component& component)
      : pattern_(component),
        behavior_(read_split_behavior(component, SplitBehavior::kRemoved)),
        invert_(component.flag_or("invert", false)) {}

  void pre_tokenize(Pieces& pieces) const override {
    std::vector<Range> matches;
    pieces.split([&](std::string_view text, std::vector<Range>& parts) {
      matches.clear();
      pattern_.find_all(text, matches);
      split_stretches(stretches(static_cast<uint32_t>(text.size()), matches, invert_), behavior_,
                      parts);
    });
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(const Component& component) {
    for (const Component& part : component.children("pretokenizers")) {
      parts_.push_back(build_pre_tokenizer(part));
    }
  }
  void pre_tokenize(Pieces& pieces) const override {
    for (const auto& part : parts_) part->pre_tokenize(pieces);
  }

 private:
  std::vector<std::unique_ptr<const PreTokenizer>> parts_;
};

template <class T>
std::unique_ptr<const PreTokenizer> make(const Component& component) {
  return std::make_unique<T>(component);
}

constexpr FactoryRow<PreTokenizer> kPreTokenizers[] = {
    {"BertPreTokenizer", make<BertPreTokenizer>},
    {"ByteLevel", build_byte_level_pre_tokenizer},
    {"CharDelimiterSplit", make<CharDelimiterSplit>},
    {"Whitespace", make<Whitespace>},
    {"WhitespaceSplit", make<WhitespaceSplit>},
    {"Punctuation", make<Punctuation>},
    {"Digits", make<Digits>},
    {"Split", make<Split>},
    {"Metaspace", build_metaspace_pre_tokenizer},
    {"Sequence", make<PreTokenizerSequence>},
};

}  // namespace

std::unique_ptr<const PreTokenizer> build_pre_tokenizer(const Component& component) {
  return build<PreTokenizer>(component, kPreTokenizers);
}

}  // namespace inlay::text
