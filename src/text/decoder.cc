#include "text/decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "text/byte_alphabet.h"
#include "text/metaspace.h"
#include "text/pattern.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

// No token sequence decodes to more than this; a chain of replacements could otherwise grow without
// end.
constexpr std::size_t kMaxDecodedBytes = 256u << 20;

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

  void decode(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i].starts_with(prefix_)) {
        tokens[i].erase(0, prefix_.size());
      } else if (i > 0) {
        tokens[i].insert(0, " ");
      }
      if (cleanup_) clean_up(tokens[i]);
    }
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

class ByteLevelDecoder : public Decoder {
 public:
  explicit ByteLevelDecoder(const Component&) {}

  void decode(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += to_bytes(token);
    tokens.assign(1, replace_invalid_utf8(bytes));
  }

 private:
  // A token with a character outside the byte alphabet stands for itself.
  static std::string to_bytes(const std::string& token) {
    std::string bytes;
    for (std::size_t at = 0; at < token.size();) {
      const Utf8Char c = decode_utf8(token, at);
      const auto byte = character_to_byte(c.code);
      if (!byte) return token;
      bytes += static_cast<char>(*byte);
      at += c.length;
    }
    return bytes;
  }
};

class ReplaceDecoder : public Decoder {
 public:
  explicit ReplaceDecoder(const Component& component)
      : pattern_(component), content_(component.text("content")) {}

  void decode(std::vector<std::string>& tokens) const override {
    std::vector<Range> matches;
    std::size_t total = 0;
    for (std::string& token : tokens) {
      matches.clear();
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
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Fuse : public Decoder {
 public:
  explicit Fuse(const Component&) {}
  void decode(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens = {all};
  }
};

class StripDecoder : public Decoder {
 public:
  explicit StripDecoder(const Component& component)
      : start_(component.integer("start")), stop_(component.integer("stop")) {
    append_utf8(content_, component.character("content"));
  }

  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      for (int64_t i = 0; i < start_ && token.starts_with(content_); ++i)
        token.erase(0, content_.size());
      for (int64_t i = 0; i < stop_ && token.ends_with(content_); ++i) {
        token.resize(token.size() - content_.size());
      }
    }
  }

 private:
  std::string content_;
  int64_t start_;
  int64_t stop_;
};

class MetaspaceDecoder : public Decoder {
 public:
  explicit MetaspaceDecoder(const Component& component) : settings_(component) {
    append_utf8(sign_, settings_.replacement);
  }

  void decode(std::vector<std::string>& tokens) const override {
    const bool drops_first = settings_.prepend != Metaspace::Prepend::kNever;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_every(tokens[i], sign_, i == 0 && drops_first ? "" : " ");
    }
  }

 private:
  Metaspace settings_;
  std::string sign_;
};

class BpeDecoder : public Decoder {
 public:
  explicit BpeDecoder(const Component& component) : suffix_(component.text_or("suffix", "</w>")) {
    require(!suffix_.empty(), ErrorKind::kInput, "{}: \"suffix\" is empty", component.place());
  }

  void decode(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_every(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

// Tokens like <0xE2> are bytes; a run of them is text if it is valid UTF-8, else as many
// replacement characters.
class ByteFallback : public Decoder {
 public:
  explicit ByteFallback(const Component&) {}

  void decode(std::vector<std::string>& tokens) const override {
    std::vector<std::string> next;
    std::string bytes;
    auto flush = [&] {
      if (bytes.empty()) return;
      if (first_invalid_utf8(bytes)) {
        next.insert(next.end(), bytes.size(), "\uFFFD");
      } else {
        next.push_back(bytes);
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes += static_cast<char>(*byte);
        continue;
      }
      flush();
      next.push_back(std::move(token));
    }
    flush();
    tokens = std::move(next);
  }

 private:
  static std::optional<uint8_t> byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    uint8_t byte = 0;
    const auto parsed = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != token.data() + 5) return std::nullopt;
    return byte;
  }
};

class DecoderSequence : public Decoder {
 public:
  explicit DecoderSequence(const Component& component) {
    for (const Component& part : component.children("decoders"))
      parts_.push_back(build_decoder(part));
  }
  void decode(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) part->decode(tokens);
  }

 private:
  std::vector<std::unique_ptr<const Decoder>> parts_;
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

std::unique_ptr<const Decoder> build_decoder(const Component& component) {
  return build<Decoder>(component, kDecoders);
}

}  // namespace inlay::text
