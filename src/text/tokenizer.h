// A tokenizer read from a Hugging Face model folder: text to token ids with offsets, and back. It
// runs WordPiece, BPE (byte-level or with byte fallback), Unigram and WordLevel files as the
// `tokenizers` library does; whatever a file asks for that is not supported is an Error that names
// it. Immutable after loading: one object serves any number of threads.
//
//   Tokenizer tokenizer = Tokenizer::load("all-minilm-l6-v2");
//   Encoding e = tokenizer.encode("It was great!", {.max_length = 128});
//   // e.ids: 101 2009 2001 2307 999 102     e.offsets[3]: {7, 12}, "great"
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_fwd.h"

namespace inlay {

namespace text {
class DecoderStage;
struct Token;
}  // namespace text

// Columns of equal length, one row per token, special tokens included.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;  // token types of BERT: 0, and 1 for the second text
  std::vector<int32_t>
      word_ids;  // index of the pre-token, or of the given word; -1 for special tokens
  std::vector<int32_t> sequence_ids;  // 0 or 1: from which text; -1 for special tokens
  // [begin, end) in Unicode characters (code points, not bytes) of the text as it was given, or of
  // the given word; {0, 0} for special tokens.
  std::vector<std::pair<int32_t, int32_t>> offsets;
  std::vector<uint8_t> special_mask;  // 1 for tokens that post-processing added
  // Only of encode_parts: the part in which the token begins; -1 for tokens that post-processing
  // added. Offsets are those in the joined text.
  std::vector<int32_t> part_ids;
  int32_t tokens_before_truncation = 0;

  std::size_t size() const { return ids.size(); }
};

struct EncodeOptions {
  // Most tokens in the result, special ones included; 0 for no limit. What the model wants is
  // Tokenizer::max_length().
  int64_t max_length = 0;
  bool add_special_tokens = true;
};

// A part of a text: of a template, in which special tokens are read, or plain, from outside.
struct TextPart {
  std::string_view text;
  bool plain = false;
};

class Tokenizer {
 public:
  // A tokenizer.json, or a folder with one, or with a vocab.txt (BERT), or with vocab.json and
  // merges.txt (RoBERTa, GPT-2), or with a SentencePiece model (Llama, Gemma, T5, XLM-R).
  // tokenizer_config.json and special_tokens_map.json beside it are read if they are there.
  static Tokenizer load(const std::filesystem::path& model_folder_or_json);
  // The text of a tokenizer.json; `where` names it in messages.
  static Tokenizer parse(std::string_view json_text, std::string_view where);
  // The same with what a tokenizer_config.json beside it would say.
  static Tokenizer parse(std::string_view json_text, std::string_view where, const Json& config);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Text that is not valid UTF-8 is an Error (kInput) that names the byte.
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode(std::string_view first, std::string_view second,
                  const EncodeOptions& options = {}) const;
  // Text that is already in words, each of which is encoded on its own.
  Encoding encode_words(std::span<const std::string> words,
                        const EncodeOptions& options = {}) const;

  // A text in parts, as a chat template puts it together. The parts are tokenised as the one text
  // that they are joined, so that the ids are those of encode() on it, except that plain parts
  // never become special: what the file calls special is read only between plain parts, and plain
  // text becomes none of it even where the model's own vocabulary has it. (A special token of a
  // single character is an ordinary one here.) Other added tokens, such as Qwen's <think>, are read
  // in any part. Ordinary tokens may span parts; none spans a special token.
  Encoding encode_parts(std::span<const TextPart> parts, const EncodeOptions& options = {}) const;

  // Ids that belong to no token are left out. StreamingDecoder does it token by token.
  std::string decode(std::span<const int32_t> ids, bool skip_special) const;

  std::optional<int32_t> token_to_id(std::string_view token) const;
  bool has_token(int32_t id) const;
  // As the vocabulary writes it. An id that belongs to no token is an Error (kUsage).
  std::string_view id_to_token(int32_t id) const;
  int64_t vocab_size() const;  // with added tokens

  // The longest input of the model, from the file's truncation section or tokenizer_config.json.
  std::optional<int64_t> max_length() const;
  // SHA-256 of the bytes of tokenizer.json, as 64 hexadecimal digits; of the equivalent file where
  // there was none.
  const std::string& hash() const;
  // By role: "cls", "sep", "pad", "unk", "mask", "bos", "eos". As the configuration files beside
  // the tokenizer say, else guessed from the names of the added tokens.
  std::optional<int32_t> special_id(std::string_view role) const;
  // All tokens that stand for no text, ascending: those with a role, those that the file calls
  // special, and those that post-processing adds.
  std::vector<int32_t> special_ids() const;

 private:
  struct Parts;
  struct Input;
  explicit Tokenizer(std::unique_ptr<const Parts> parts);
  Encoding encode_inputs(std::span<const Input> inputs, const EncodeOptions& options) const;
  // Truncates and puts special tokens in; returns how many tokens there were before truncation.
  int64_t frame(std::vector<std::vector<text::Token>>& row, const EncodeOptions& options) const;

  friend class StreamingDecoder;
  std::unique_ptr<text::DecoderStage> decode_into(std::string& text) const;
  // How a token is written; nothing for ids that decoding leaves out.
  std::optional<std::string_view> written(int32_t id, bool skip_special) const;

  std::unique_ptr<const Parts> parts_;
};

}  // namespace inlay
