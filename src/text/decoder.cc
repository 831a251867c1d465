#include "text/decoder.h"

#include <charconv>
#include <optional>
#include <vector>

#include "text/byte_alphabet.h"
#include "text/decoder_stages.h"
#include "text/metaspace.h"
#include "text/pattern.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

// No token sequence decodes to more than this; a chain of replacements could otherwise grow without
// end.
constexpr std::size_t kMaxDecodedBytes = 256u << 20;

using NextStage = std::unique_ptr<DecoderStage>;

void replace_every(std::string& text, std::string_view what, std::string_view with) {
  std::size_t found = text.find(what);
  if (found == std::string::npos) return;
  std::string next;
  std::size_t done = 0;
  for (; found != std::string::npos; found = text.find(what, done)) {
    next.append(text, done, found - done).append(with);
    done = found + what.size();
  }
  text = next.append(text, done);
}

class WordPieceDecoder : public Decoder {
 public:
  explicit WordPieceDecoder(const Component& component)
      : prefix_(component.text_or("prefix", "##")), cleanup_(component.flag_or("cleanup", true)) {}

  NextStage stage(NextStage next) const override {
    return rewriting_stage(std::move(next), [this](std::string& token, bool is_first) {
      if (!is_first && token.starts_with(prefix_)) {
        token.erase(0, prefix_.size());
      } else if (!is_first) {
        token.insert(0, " ");
      }
      if (cleanup_) clean_up(token);
    });
  }

 private:
  // English punctuation and contractions, one token at a time, in this order.
  static void clean_up(std::string& token) {
    static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [what, with] : kRules) replace_every(token, what, with);
  }

  std::string prefix_;
  bool cleanup_;
};

// All tokens become one, whose bytes are text only when they stand together: a character that is
// not complete yet is held back.
class ByteLevelStage : public WholeTokenStage {
 public:
  using WholeTokenStage::WholeTokenStage;

 protected:
  void push_token(std::string token) override {
    append_bytes(token);
    const std::size_t ready = bytes_.size() - incomplete_utf8_tail(bytes_);
    if (ready > 0) next().push(replace_invalid_utf8({bytes_.data(), ready}), false);
    bytes_.erase(0, ready);
  }
  void finish_tokens() override { next().push(replace_invalid_utf8(bytes_), true); }

 private:
  // A token with a character outside the byte alphabet stands for itself.
  void append_bytes(const std::string& token) {
    const std::size_t before = bytes_.size();
    for (std::size_t at = 0; at < token.size();) {
      const Utf8Char c = decode_utf8(token, at);
      const auto byte = character_to_byte(c.code);
      if (!byte) {
        bytes_.replace(before, std::string::npos, token);
        return;
      }
      bytes_ += static_cast<char>(*byte);
      at += c.length;
    }
  }

  std::string bytes_;
};

class ByteLevelDecoder : public Decoder {
 public:
  explicit ByteLevelDecoder(const Component&) {}
  NextStage stage(NextStage next) const override {
    return std::make_unique<ByteLevelStage>(std::move(next));
  }
};

class ReplaceDecoder : public Decoder {
 public:
  explicit ReplaceDecoder(const Component& component)
      : pattern_(component), content_(component.text("content")) {}

  NextStage stage(NextStage next) const override {
    return rewriting_stage(std::move(next),
                           [this, total = std::size_t{0}](std::string& token, bool) mutable {
                             replace(token, total);
                           });
  }

 private:
  void replace(std::string& token, std::size_t& total) const {
    std::vector<Range> matches;
    if (!token.empty()) pattern_.find_all(token, matches);
    total += token.size() + matches.size() * content_.size();
    require(total <= kMaxDecodedBytes, ErrorKind::kInput,
            "the tokenizer's decoder makes the text grow past {} bytes; the tokenizer file is "
            "not a sensible one",
            kMaxDecodedBytes);
    std::string next;
    std::size_t done = 0;
    for (const Range& match : matches) {
      next.append(token, done, match.begin - done).append(content_);
      done = match.end;
    }
    token = next.append(token, done);
  }

  Pattern pattern_;
  std::string content_;
};

class FuseStage : public ChainedStage {
 public:
  using ChainedStage::ChainedStage;
  void push(std::string_view part, bool) override { next().push(part, false); }
  void finish() override {
    next().push("", true);
    next().finish();
  }
};

class Fuse : public Decoder {
 public:
  explicit Fuse(const Component&) {}
  NextStage stage(NextStage next) const override {
    return std::make_unique<FuseStage>(std::move(next));
  }
};

struct Stripped {
  std::string content;  // one character
  int64_t start;        // how many of them go at either end
  int64_t stop;
};

// With nothing to strip at the end a token passes in parts, as they come.
class StripStage : public ChainedStage {
 public:
  StripStage(NextStage next, const Stripped& stripped)
      : ChainedStage(std::move(next)), stripped_(stripped), left_(stripped.start) {}

  void push(std::string_view part, bool ends_token) override {
    held_ += part;
    if (stripped_.stop > 0 && !ends_token) return;
    std::size_t begin = 0;
    for (; left_ > 0 && held_.compare(begin, stripped_.content.size(), stripped_.content) == 0;
         --left_) {
      begin += stripped_.content.size();
    }
    if (begin < held_.size()) left_ = 0;
    std::size_t end = held_.size();
    const std::string_view text(held_);
    for (int64_t i = 0;
         i < stripped_.stop && text.substr(begin, end - begin).ends_with(stripped_.content); ++i) {
      end -= stripped_.content.size();
    }
    next().push(text.substr(begin, end - begin), ends_token);
    held_.clear();
    if (ends_token) left_ = stripped_.start;
  }
  void finish() override { next().finish(); }

 private:
  const Stripped& stripped_;
  int64_t left_;  // still to strip at the start of this token
  std::string held_;
};

class StripDecoder : public Decoder {
 public:
  explicit StripDecoder(const Component& component)
      : stripped_{"", component.integer("start"), component.integer("stop")} {
    append_utf8(stripped_.content, component.character("content"));
  }
  NextStage stage(NextStage next) const override {
    return std::make_unique<StripStage>(std::move(next), stripped_);
  }

 private:
  Stripped stripped_;
};

class MetaspaceDecoder : public Decoder {
 public:
  explicit MetaspaceDecoder(const Component& component)
      : drops_first_(Metaspace(component).prepend != Metaspace::Prepend::kNever) {
    append_utf8(sign_, Metaspace(component).replacement);
  }

  NextStage stage(NextStage next) const override {
    return rewriting_stage(std::move(next), [this](std::string& token, bool is_first) {
      replace_every(token, sign_, is_first && drops_first_ ? "" : " ");
    });
  }

 private:
  bool drops_first_;
  std::string sign_;
};

// Which token is the last one is known at the end: one is held back.
class BpeStage : public WholeTokenStage {
 public:
  BpeStage(NextStage next, const std::string& suffix)
      : WholeTokenStage(std::move(next)), suffix_(suffix) {}

 protected:
  void push_token(std::string token) override {
    hand_on(" ");
    held_ = std::move(token);
  }
  void finish_tokens() override { hand_on(""); }

 private:
  void hand_on(std::string_view separator) {
    if (!held_) return;
    replace_every(*held_, suffix_, separator);
    next().push(*held_, true);
  }

  const std::string& suffix_;
  std::optional<std::string> held_;
};

class BpeDecoder : public Decoder {
 public:
  explicit BpeDecoder(const Component& component) : suffix_(component.text_or("suffix", "</w>")) {
    require(!suffix_.empty(), ErrorKind::kInput, "{}: \"suffix\" is empty", component.place());
  }
  NextStage stage(NextStage next) const override {
    return std::make_unique<BpeStage>(std::move(next), suffix_);
  }

 private:
  std::string suffix_;
};

// Tokens like <0xE2> are bytes; a run of them is text if it is valid UTF-8, else as many
// replacement characters. So a run is held back until it ends.
class ByteFallbackStage : public WholeTokenStage {
 public:
  using WholeTokenStage::WholeTokenStage;

 protected:
  void push_token(std::string token) override {
    if (const auto byte = byte_of(token)) {
      bytes_ += static_cast<char>(*byte);
      return;
    }
    end_run();
    next().push(token, true);
  }
  void finish_tokens() override { end_run(); }

 private:
  void end_run() {
    if (bytes_.empty()) return;
    if (first_invalid_utf8(bytes_)) {
      for (std::size_t i = 0; i < bytes_.size(); ++i) next().push("\uFFFD", true);
    } else {
      next().push(bytes_, true);
    }
    bytes_.clear();
  }

  static std::optional<uint8_t> byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    uint8_t byte = 0;
    const auto parsed = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != token.data() + 5) return std::nullopt;
    return byte;
  }

  std::string bytes_;
};

class ByteFallback : public Decoder {
 public:
  explicit ByteFallback(const Component&) {}
  NextStage stage(NextStage next) const override {
    return std::make_unique<ByteFallbackStage>(std::move(next));
  }
};

class DecoderSequence : public Decoder {
 public:
  explicit DecoderSequence(const Component& component) {
    for (const Component& part : component.children("decoders"))
      parts_.push_back(build_decoder(part));
  }
  NextStage stage(NextStage next) const override {
    for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
      next = (*part)->stage(std::move(next));
    }
    return next;
  }

 private:
  std::vector<std::unique_ptr<const Decoder>> parts_;
};

class TextEnd : public DecoderStage {
 public:
  TextEnd(std::string& text, std::string_view separator) : text_(text), separator_(separator) {}
  void push(std::string_view part, bool ends_token) override {
    if (starts_token_ && !is_empty_) text_ += separator_;
    text_ += part;
    is_empty_ = is_empty_ && part.empty();
    starts_token_ = ends_token;
  }
  void finish() override {}

 private:
  std::string& text_;
  std::string_view separator_;
  bool starts_token_ = true;
  bool is_empty_ = true;  // of all that came
};

template <class T>
std::unique_ptr<const Decoder> make(const Component& component) {
  return std::make_unique<T>(component);
}

constexpr FactoryRow<Decoder> kDecoders[] = {
    {"WordPiece", make<WordPieceDecoder>},
    {"ByteLevel", make<ByteLevelDecoder>},
    {"Sequence", make<DecoderSequence>},
    {"Replace", make<ReplaceDecoder>},
    {"Fuse", make<Fuse>},
    {"Strip", make<StripDecoder>},
    {"Metaspace", make<MetaspaceDecoder>},
    {"BPEDecoder", make<BpeDecoder>},
    {"ByteFallback", make<ByteFallback>},
};

}  // namespace

std::unique_ptr<DecoderStage> end_of_decoding(std::string& text) {
  return std::make_unique<TextEnd>(text, "");
}

std::unique_ptr<DecoderStage> end_of_decoding_with_spaces(std::string& text) {
  return std::make_unique<TextEnd>(text, " ");
}

std::unique_ptr<const Decoder> build_decoder(const Component& component) {
  return build<Decoder>(component, kDecoders);
}

}  // namespace inlay::text
