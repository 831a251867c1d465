#include "models/gguf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "text/bpe_tokenizer_file.h"
#include "text/sentence_piece_tokenizer.h"

namespace inlay {
namespace {

using text::SentencePieceModel;
using PieceType = SentencePieceModel::PieceType;

const std::string kPrefix = "tokenizer.ggml.";

// A token as the metadata have it; types are numbered as SentencePiece's.
struct Token {
  std::string text;
  PieceType type = PieceType::kNormal;
};

class Vocab {
 public:
  explicit Vocab(const GgufMetadata& metadata);

  const std::vector<Token>& tokens() const { return tokens_; }
  const GgufMetadata& metadata() const { return metadata_; }
  const std::string& where() const { return metadata_.where(); }
  // The id of a role, "bos"; -1 where the metadata name none and `fallback` is no token either.
  int32_t id(const std::string& role, int64_t fallback = -1) const;
  std::string text(int32_t id) const {
    return id < 0 ? "" : tokens_[static_cast<std::size_t>(id)].text;
  }
  bool flag(const std::string& key, bool fallback) const {
    return metadata_.get_or<bool>(kPrefix + key, fallback);
  }

 private:
  const GgufMetadata& metadata_;
  std::vector<Token> tokens_;
};

Vocab::Vocab(const GgufMetadata& metadata) : metadata_(metadata) {
  for (std::string& text : metadata.get<std::vector<std::string>>(kPrefix + "tokens"))
    tokens_.push_back({std::move(text)});
  require(!tokens_.empty(), ErrorKind::kInput, "{}: its metadata have no tokens", where());
  const std::string key = kPrefix + "token_type";
  if (!metadata.contains(key)) return;
  const auto types = metadata.get<std::vector<int64_t>>(key);
  require(types.size() == tokens_.size(), ErrorKind::kInput,
          "{}: {} types for {} tokens in its metadata", where(), types.size(), tokens_.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    require(1 <= types[i] && types[i] <= 6, ErrorKind::kInput,
            "{}: token {} has the type {}; expected 1 to 6", where(), i, types[i]);
    tokens_[i].type = static_cast<PieceType>(types[i]);
  }
}

int32_t Vocab::id(const std::string& role, int64_t fallback) const {
  const std::string key = kPrefix + role + "_token_id";
  const auto count = static_cast<int64_t>(tokens_.size());
  if (!metadata_.contains(key)) return static_cast<int32_t>(fallback < count ? fallback : -1);
  const auto id = metadata_.get<int64_t>(key);
  require(0 <= id && id < count, ErrorKind::kInput,
          "{}: metadata key \"{}\" is {}; there are {} tokens", where(), key, id, count);
  return static_cast<int32_t>(id);
}

// Roles of a tokenizer_config.json, and the metadata's names of them.
constexpr auto kRoles =
    std::to_array<std::pair<const char*, const char*>>({{"bos_token", "bos"},
                                                        {"eos_token", "eos"},
                                                        {"unk_token", "unknown"},
                                                        {"pad_token", "padding"}});

Json roles_in(const Vocab& vocab) {
  Json config = Json::object();
  for (const auto& [role, name] : kRoles) {
    const int32_t id = vocab.id(name);
    if (id >= 0) config[role] = vocab.text(id);
  }
  return config;
}

// ---- byte-level pairs -------------------------------------------------------------------------

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

// Words as GPT-4 cuts them, numbers in runs of `digits`.
Json cut_by_words(const std::string& digits) {
  const std::string pattern = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
                              digits +
                              "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const Json split{{"type", "Split"},
                   {"pattern", {{"Regex", pattern}}},
                   {"behavior", "Isolated"},
                   {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false)}}};
}

struct PreTokenizer {
  Json stage, normalizer;
  bool ignore_merges = false, adds_bos = false;
};

// By "tokenizer.ggml.pre"; nothing for one that is not known.
std::optional<PreTokenizer> pre_tokenizer(const std::string& name) {
  if (name == "gpt-2") return PreTokenizer{.stage = byte_level(true)};
  if (name == "llama-bpe" || name == "llama3" || name == "llama-v3") {
    return PreTokenizer{
        .stage = cut_by_words("\\p{N}{1,3}"), .ignore_merges = true, .adds_bos = true};
  }
  if (name == "qwen2") {
    return PreTokenizer{.stage = cut_by_words("\\p{N}"), .normalizer = {{"type", "NFC"}}};
  }
  if (name == "smollm") {
    const Json digits{{"type", "Digits"}, {"individual_digits", true}};
    return PreTokenizer{
        .stage = {{"type", "Sequence"}, {"pretokenizers", {digits, byte_level(true)}}}};
  }
  return std::nullopt;
}

Json pairs_of(const Vocab& vocab) {
  Json pairs = Json::array();
  for (const std::string& merge :
       vocab.metadata().get<std::vector<std::string>>(kPrefix + "merges")) {
    const std::size_t space = merge.find(' ', 1);
    require(space != merge.npos && space + 1 < merge.size(), ErrorKind::kInput,
            "{}: the merge \"{}\" is no pair of tokens", vocab.where(), merge.substr(0, 80));
    pairs.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  return pairs;
}

Json special_part(const std::string& token, int type) {
  return {{"SpecialToken", {{"id", token}, {"type_id", type}}}};
}

// The tokens that every text is set between; null where there are none.
Json frame(const Vocab& vocab, int32_t before, int32_t after) {
  Json single = Json::array(), pair = Json::array(), special = Json::object();
  for (int type : {0, 1}) {
    if (before >= 0) pair.push_back(special_part(vocab.text(before), type));
    pair.push_back({{"Sequence", {{"id", type == 0 ? "A" : "B"}, {"type_id", type}}}});
    if (after >= 0) pair.push_back(special_part(vocab.text(after), type));
    if (type == 0) single = pair;
  }
  for (int32_t id : {before, after}) {
    if (id < 0) continue;
    const std::string text = vocab.text(id);
    special[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
  }
  if (special.empty()) return nullptr;
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

bool is_added(PieceType type) {
  return type == PieceType::kControl || type == PieceType::kUserDefined ||
         type == PieceType::kUnknown;
}

Json byte_level_tokenizer(const Vocab& vocab, const PreTokenizer& pre) {
  Json ids = Json::object(), added = Json::array();
  for (std::size_t id = 0; id < vocab.tokens().size(); ++id) {
    const auto& [text, type] = vocab.tokens()[id];
    if (type == PieceType::kUnused) continue;
    if (is_added(type)) {
      added.push_back({{"id", id},
                       {"content", text},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", type != PieceType::kUserDefined}});
      // Merges can be made of tokens that stand for text.
      if (type != PieceType::kUserDefined) continue;
    }
    require(ids.emplace(text, id).second, ErrorKind::kInput,
            "{}: the token \"{}\" appears twice in its metadata", vocab.where(),
            text.substr(0, 80));
  }
  const int32_t bos = vocab.flag("add_bos_token", pre.adds_bos) ? vocab.id("bos") : -1;
  const int32_t eos = vocab.flag("add_eos_token", false) ? vocab.id("eos") : -1;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", pre.normalizer},
          {"pre_tokenizer", pre.stage},
          {"post_processor", frame(vocab, bos, eos)},
          {"decoder", byte_level(true)},
          {"model", text::bpe_model_json(std::move(ids), pairs_of(vocab), pre.ignore_merges)}};
}

// ---- pairs by score ---------------------------------------------------------------------------

constexpr int64_t kEosOfPieces = 2;  // where the metadata name none

// Without what converters fill a vocabulary up with at its end: "[PAD32000]".
std::size_t count_of_pieces(const Vocab& vocab) {
  std::size_t count = vocab.tokens().size();
  while (count > 1 && vocab.tokens()[count - 1].type == PieceType::kUnused &&
         vocab.tokens()[count - 1].text == fmt::format("[PAD{}]", count - 1))
    --count;
  return count;
}

Json sentence_piece_tokenizer(const Vocab& vocab) {
  const auto scores = vocab.metadata().get<std::vector<double>>(kPrefix + "scores");
  require(scores.size() == vocab.tokens().size(), ErrorKind::kInput,
          "{}: {} scores for {} tokens in its metadata", vocab.where(), scores.size(),
          vocab.tokens().size());
  SentencePieceModel model{
      .kind = SentencePieceModel::Kind::kBpe,
      .unk_id = std::max(vocab.id("unknown", 0), 0),
      .bos_id = vocab.id("bos", 1),
      .eos_id = vocab.id("eos", kEosOfPieces),
      .add_dummy_prefix = vocab.flag("add_space_prefix", true),
      .remove_extra_whitespaces = vocab.flag("remove_extra_whitespaces", false)};
  for (std::size_t id = 0; id < count_of_pieces(vocab); ++id) {
    const auto& [text, type] = vocab.tokens()[id];
    model.byte_fallback = model.byte_fallback || type == PieceType::kByte;
    text::add_piece(model, {text, static_cast<float>(scores[id]), type}, vocab.where());
  }
  return text::tokenizer_json_from_pieces(std::move(model),
                                          {{"add_bos_token", vocab.flag("add_bos_token", true)},
                                           {"add_eos_token", vocab.flag("add_eos_token", false)}},
                                          vocab.where());
}

// ---- ends -------------------------------------------------------------------------------------

// Whatever their type (llama-vocab.cpp, special_eog_ids).
bool ends_texts(std::string_view token) {
  constexpr auto kEnds =
      std::to_array<std::string_view>({"<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>",
                                       "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>"});
  return std::find(kEnds.begin(), kEnds.end(), token) != kEnds.end();
}

}  // namespace

const std::vector<std::string>& gguf_pre_tokenizers() {
  static const std::vector<std::string> names{"gpt-2", "llama-bpe", "qwen2", "smollm"};
  return names;
}

std::optional<GgufTokenizer> gguf_tokenizer(const GgufMetadata& metadata, std::string& lack) {
  const auto kind = metadata.get_or<std::string>(kPrefix + "model", "");
  const auto pre = metadata.get_or<std::string>(kPrefix + "pre", "");
  std::optional<PreTokenizer> cut;
  if (kind == "gpt2") cut = pre_tokenizer(pre);
  if (kind != "llama" && !cut.has_value()) {
    lack = kind == "gpt2" ? fmt::format("{}pre is \"{}\"; known: {}", kPrefix, pre.substr(0, 60),
                                        fmt::join(gguf_pre_tokenizers(), ", "))
           : kind.empty()
               ? fmt::format("{}model is missing", kPrefix)
               : fmt::format("{}model is \"{}\"; known: gpt2, llama", kPrefix, kind.substr(0, 60));
    return std::nullopt;
  }
  const Vocab vocab(metadata);
  return GgufTokenizer{
      cut.has_value() ? byte_level_tokenizer(vocab, *cut) : sentence_piece_tokenizer(vocab),
      roles_in(vocab)};
}

std::vector<int32_t> gguf_ending_tokens(const GgufMetadata& metadata) {
  if (!metadata.contains(kPrefix + "tokens")) return {};
  const Vocab vocab(metadata);
  std::vector<int32_t> ids;
  auto add = [&](int32_t id) {
    if (id >= 0 && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  };
  const bool pieces = metadata.get_or<std::string>(kPrefix + "model", "") == "llama";
  add(vocab.id("eos", pieces ? kEosOfPieces : -1));
  add(vocab.id("eot"));
  add(vocab.id("eom"));
  for (std::size_t id = 0; id < vocab.tokens().size(); ++id) {
    if (ends_texts(vocab.tokens()[id].text)) add(static_cast<int32_t>(id));
  }
  return ids;
}

std::optional<ModelChatTemplate> gguf_chat_template(const GgufMetadata& metadata) {
  const std::string key = "tokenizer.chat_template";
  if (!metadata.contains(key)) return std::nullopt;
  const Vocab vocab(metadata);
  auto token = [&](const char* role) {
    const int32_t id = vocab.id(role);
    return id < 0 ? std::nullopt : std::optional(vocab.text(id));
  };
  return ModelChatTemplate{
      ChatTemplate::parse(metadata.get<std::string>(key), metadata.where() + ": " + key),
      std::nullopt,
      token("bos"),
      token("eos"),
      token("padding"),
      token("unknown")};
}

}  // namespace inlay
