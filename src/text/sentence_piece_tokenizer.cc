#include "text/sentence_piece_tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "text/base64.h"
#include "text/special_roles.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

using Kind = SentencePieceModel::Kind;
using PieceType = SentencePieceModel::PieceType;

constexpr std::size_t kMaxModelBytes = 64u << 20;
// Published ones have up to 0.6 million.
constexpr std::size_t kMaxMerges = 4u << 20;
constexpr const char* kConfig = "tokenizer_config.json";
constexpr const char* kSpace = "▁";

// What a tokenizer class makes of a model beside its pieces.
enum class Family { kLlama, kT5, kXlmRoberta };

Family read_family(const SentencePieceModel& model, const std::filesystem::path& path,
                   const Json& config) {
  std::string name = json_get_or<std::string>(config, "tokenizer_class", "", kConfig);
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (name == "LlamaTokenizer" || name == "CodeLlamaTokenizer" || name == "GemmaTokenizer") {
    return Family::kLlama;
  }
  if (name == "T5Tokenizer" || name == "MT5Tokenizer") return Family::kT5;
  if (name == "XLMRobertaTokenizer") return Family::kXlmRoberta;
  require(name.empty() || name == "PreTrainedTokenizer", ErrorKind::kInput,
          "{}: tokenizer_class \"{}\" is not supported with a SentencePiece file; supported: "
          "LlamaTokenizer, CodeLlamaTokenizer, GemmaTokenizer, T5Tokenizer, MT5Tokenizer, "
          "XLMRobertaTokenizer; save the tokenizer as tokenizer.json",
          kConfig, name.substr(0, 60));
  if (path.filename() == "sentencepiece.bpe.model") return Family::kXlmRoberta;
  return model.bos_id < 0 && model.eos_id >= 0 ? Family::kT5 : Family::kLlama;
}

Json added_token(int64_t id, const std::string& content, bool special, bool lstrip = false) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", lstrip},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

// Gemma's, which its tokenizer.json calls special: no message may write them.
bool marks_turns(const std::string& piece) {
  return piece == "<start_of_turn>" || piece == "<end_of_turn>";
}

// Unknown and control pieces are special, user-defined ones are not.
Json added_tokens(const SentencePieceModel& model) {
  Json added = Json::array();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& piece = model.pieces[id];
    if (piece.type == PieceType::kUserDefined)
      added.push_back(added_token(static_cast<int64_t>(id), piece.text, marks_turns(piece.text)));
    if (piece.type == PieceType::kUnknown || piece.type == PieceType::kControl)
      added.push_back(added_token(static_cast<int64_t>(id), piece.text, true));
  }
  return added;
}

// ---- stages -----------------------------------------------------------------------------------

Json replace(const char* kind, const char* pattern, const char* content) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

Json strip(bool left) { return {{"type", "Strip"}, {"strip_left", left}, {"strip_right", true}}; }

// Where a text gets a space in front: "always" before each stretch between special tokens, "first"
// at its very start alone, or "never". The converters call the first of them legacy.
const char* prepend_scheme(const SentencePieceModel& model, const Json& config) {
  if (!json_get_or<bool>(config, "add_prefix_space", model.add_dummy_prefix, kConfig)) {
    return "never";
  }
  return json_get_or<bool>(config, "legacy", true, kConfig) ? "always" : "first";
}

// Unigram models leave spaces to Metaspace; so do byte-pair encodings that want them "first".
bool uses_metaspace(const SentencePieceModel& model, std::string_view scheme) {
  return model.kind == Kind::kUnigram || scheme == "first";
}

Json normalizer(const SentencePieceModel& model, std::string_view scheme) {
  Json parts = Json::array();
  if (!model.charsmap.empty()) {
    parts.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", encode_base64(model.charsmap)}});
  }
  const bool is_unigram = model.kind == Kind::kUnigram;
  if (model.remove_extra_whitespaces) {
    parts.push_back(strip(!is_unigram));
    parts.push_back(replace("Regex", " {2,}", is_unigram ? kSpace : " "));
  }
  if (!uses_metaspace(model, scheme)) {
    if (scheme == "always") parts.push_back({{"type", "Prepend"}, {"prepend", kSpace}});
    parts.push_back(replace("String", " ", kSpace));
  }
  return {{"type", "Sequence"}, {"normalizers", parts}};
}

Json metaspace(const SentencePieceModel& model, std::string_view scheme) {
  return {{"type", "Metaspace"},
          {"replacement", kSpace},
          {"prepend_scheme", scheme},
          {"split", model.kind == Kind::kUnigram}};
}

Json decoder(const SentencePieceModel& model, std::string_view scheme) {
  const Json bytes = {{"type", "ByteFallback"}};
  if (model.kind == Kind::kUnigram) {
    if (!model.byte_fallback) return metaspace(model, scheme);
    return {{"type", "Sequence"}, {"decoders", {bytes, metaspace(model, scheme)}}};
  }
  Json parts = {replace("String", kSpace, " "), bytes, {{"type", "Fuse"}}};
  if (scheme != "never") {
    parts.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", parts}};
}

// ---- models -----------------------------------------------------------------------------------

Json bpe_model(const SentencePieceModel& model, const std::string& place) {
  Json vocab = Json::object();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const std::string& text = model.pieces[id].text;
    require(vocab.emplace(text, id).second, ErrorKind::kInput, "{}: piece \"{}\" appears twice",
            place, text);
  }
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", model.pieces[static_cast<std::size_t>(model.unk_id)].text},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", true},
          {"byte_fallback", model.byte_fallback},
          {"ignore_merges", false},
          {"vocab", std::move(vocab)},
          {"merges", merges_from_pieces(model, place)}};
}

Json unigram_model(const SentencePieceModel& model) {
  Json vocab = Json::array();
  for (const auto& piece : model.pieces) vocab.push_back({piece.text, piece.score});
  return {{"type", "Unigram"},
          {"unk_id", model.unk_id},
          {"byte_fallback", model.byte_fallback},
          {"vocab", std::move(vocab)}};
}

// ---- special tokens ---------------------------------------------------------------------------

Json sequence_part(const char* id, int type) {
  return {{"Sequence", {{"id", id}, {"type_id", type}}}};
}

Json special_part(const std::string& token, int type) {
  return {{"SpecialToken", {{"id", token}, {"type_id", type}}}};
}

// Puts `before` in front of each text and `after` behind it, and both of `between` too where two
// meet. Tokens of empty names are left out.
struct Frame {
  std::string before;
  std::string after;
  std::string before_second;
  int second_type = 1;
};

Json framing(const Frame& frame, const Json& vocab_ids) {
  Json single = Json::array(), pair = Json::array();
  auto put = [](Json& row, const std::string& token, int type) {
    if (!token.empty()) row.push_back(special_part(token, type));
  };
  put(single, frame.before, 0);
  single.push_back(sequence_part("A", 0));
  put(single, frame.after, 0);
  pair = single;
  put(pair, frame.before_second, frame.second_type);
  pair.push_back(sequence_part("B", frame.second_type));
  put(pair, frame.after, frame.second_type);
  Json tokens = Json::object();
  for (const std::string& token : {frame.before, frame.after, frame.before_second}) {
    if (token.empty()) continue;
    require(vocab_ids.contains(token), ErrorKind::kInput,
            "the SentencePiece file has no \"{}\", which {} puts around texts", token, kConfig);
    tokens[token] = {{"id", token}, {"ids", {vocab_ids[token]}}, {"tokens", {token}}};
  }
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", tokens}};
}

std::string piece_or_none(const SentencePieceModel& model, int32_t id) {
  return id < 0 ? std::string() : model.pieces[static_cast<std::size_t>(id)].text;
}

// The name of a special token: of the configuration, else of the model.
std::string role_piece(const SentencePieceModel& model, const Json& config, std::string_view role,
                       int32_t id) {
  return configured_token(config, role).value_or(piece_or_none(model, id));
}

Frame read_frame(Family family, const SentencePieceModel& model, const Json& config) {
  const std::string bos = role_piece(model, config, "bos", model.bos_id);
  const std::string eos = role_piece(model, config, "eos", model.eos_id);
  if (family == Family::kT5) return {.after = eos, .second_type = 0};
  if (family == Family::kXlmRoberta) {
    return {.before = "<s>", .after = "</s>", .before_second = "</s>", .second_type = 0};
  }
  Frame frame;
  if (json_get_or<bool>(config, "add_bos_token", true, kConfig)) frame.before = bos;
  if (json_get_or<bool>(config, "add_eos_token", false, kConfig)) frame.after = eos;
  frame.before_second = frame.before;
  return frame;
}

// T5 appends tokens for the gaps of its training, the last one first.
void add_extra_ids(SentencePieceModel& model, const Json& config) {
  constexpr int64_t kMaxExtraIds = 10'000;
  const auto count = json_get_or<int64_t>(config, "extra_ids", 100, kConfig);
  require(count >= 0 && count <= kMaxExtraIds, ErrorKind::kInput,
          "{}: extra_ids is {}; expected 0 to {}", kConfig, count, kMaxExtraIds);
  for (int64_t i = count; i-- > 0;) {
    model.pieces.push_back({fmt::format("<extra_id_{}>", i), 0, PieceType::kControl});
  }
}

// XLM-R keeps the ids of an older library: four special tokens in the place of the first three
// pieces, and the mask at the end.
void renumber_for_xlm_roberta(SentencePieceModel& model, const std::string& place) {
  require(model.pieces.size() >= 3, ErrorKind::kInput, "{}: found {} pieces; expected 3 and more",
          place, model.pieces.size());
  model.pieces.erase(model.pieces.begin(), model.pieces.begin() + 3);
  const SentencePieceModel::Piece special[] = {{"<s>", 0, PieceType::kControl},
                                               {"<pad>", 0, PieceType::kControl},
                                               {"</s>", 0, PieceType::kControl},
                                               {"<unk>", 0, PieceType::kUnknown}};
  model.pieces.insert(model.pieces.begin(), std::begin(special), std::end(special));
  model.pieces.push_back({"<mask>", 0, PieceType::kControl});
  model.bos_id = 0;
  model.pad_id = 1;
  model.eos_id = 2;
  model.unk_id = 3;
}

Json tokenizer_json(Family family, SentencePieceModel model, const Json& config,
                    const std::string& place) {
  if (family == Family::kT5) add_extra_ids(model, config);
  if (family == Family::kXlmRoberta) renumber_for_xlm_roberta(model, place);
  Json added = added_tokens(model);
  if (family == Family::kXlmRoberta) added.back()["lstrip"] = true;
  Json ids = Json::object();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) ids.emplace(model.pieces[id].text, id);
  const char* const scheme = prepend_scheme(model, config);
  const bool is_unigram = model.kind == Kind::kUnigram;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", normalizer(model, scheme)},
          {"pre_tokenizer", uses_metaspace(model, scheme) ? metaspace(model, scheme) : Json()},
          {"model", is_unigram ? unigram_model(model) : bpe_model(model, place)},
          {"post_processor", framing(read_frame(family, model, config), ids)},
          {"decoder", decoder(model, scheme)}};
}

struct Merge {
  std::string_view left;
  std::string_view right;
  float score;
  std::size_t left_length;  // in characters
};

// Appends all ways to make `text` of two pieces, ordered by the ids of the two.
void add_merges(const std::unordered_map<std::string_view, std::size_t>& ids,
                const SentencePieceModel::Piece& piece, std::vector<Merge>& merges) {
  const std::size_t first = merges.size();
  const std::string_view text = piece.text;
  std::size_t left_length = 0;
  for (std::size_t at = 0; at < text.size();) {
    at += decode_utf8(text, at).length;
    ++left_length;
    const std::string_view left = text.substr(0, at), right = text.substr(at);
    if (ids.contains(left) && ids.contains(right)) {
      merges.push_back({left, right, piece.score, left_length});
    }
  }
  std::sort(merges.begin() + static_cast<std::ptrdiff_t>(first), merges.end(),
            [&ids](const Merge& a, const Merge& b) {
              return std::pair(ids.at(a.left), ids.at(a.right)) <
                     std::pair(ids.at(b.left), ids.at(b.right));
            });
}

}  // namespace

Json merges_from_pieces(const SentencePieceModel& model, const std::string& place) {
  // Control and byte pieces are never made of text.
  auto is_text = [](const SentencePieceModel::Piece& piece) {
    return piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined;
  };
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    if (is_text(model.pieces[id])) ids.emplace(model.pieces[id].text, id);
  }
  std::vector<Merge> merges;
  for (const auto& piece : model.pieces) {
    if (is_text(piece)) add_merges(ids, piece, merges);
    require(merges.size() <= kMaxMerges, ErrorKind::kInput,
            "{}: the pieces give more than {} merges, which is not supported", place, kMaxMerges);
  }
  // Of one score, long left halves first; the same text is then made of a short right half.
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.left_length != b.left_length) return a.left_length > b.left_length;
    return count_utf8_chars(a.right) > count_utf8_chars(b.right);
  });
  Json list = Json::array();
  for (const Merge& merge : merges) {
    list.push_back({std::string(merge.left), std::string(merge.right)});
  }
  return list;
}

std::optional<Json> tokenizer_from_sentence_piece(const std::filesystem::path& folder,
                                                  const Json& config) {
  for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"}) {
    const std::filesystem::path path = folder / name;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    SentencePieceModel model =
        parse_sentence_piece_model(read_file(path, kMaxModelBytes), path.string());
    const Family family = read_family(model, path, config);
    return tokenizer_json(family, std::move(model), config, path.string());
  }
  return std::nullopt;
}

Json tokenizer_json_from_pieces(SentencePieceModel model, const Json& config,
                                const std::string& place) {
  return tokenizer_json(Family::kLlama, std::move(model), config, place);
}

Json tokenizer_json_from_llama2c(const std::filesystem::path& path) {
  return tokenizer_json_from_pieces(
      parse_llama2c_tokenizer(read_file(path, kMaxModelBytes), path.string()), Json::object(),
      path.string());
}

}  // namespace inlay::text
