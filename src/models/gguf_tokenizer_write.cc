#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "formats/model_config.h"
#include "models/gguf_tokenizer.h"
#include "text/chat/budget.h"
#include "text/sentence_piece_tokenizer.h"
#include "text/tokenizer.h"
#include "text/vocabulary_files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 256u << 20;

// Of "tokenizer.ggml.token_type".
enum TokenType : int32_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

Json read_object_if_any(const fs::path& path) {
  return fs::exists(path) ? read_json(path, kMaxFileBytes) : Json::object();
}

// A folder's tokenizer.json, or what stands for it; null where there is none.
Json tokenizer_file(const fs::path& folder, const Json& config) {
  if (fs::exists(folder / "tokenizer.json"))
    return read_json(folder / "tokenizer.json", kMaxFileBytes);
  auto equivalent = text::tokenizer_from_vocabulary(folder, config);
  if (!equivalent) equivalent = text::tokenizer_from_sentence_piece(folder, config);
  return equivalent.value_or(Json());
}

// ---- what has to be the same ------------------------------------------------------------------

// What decides about tokens: offsets do not, and a sequence of one is that one.
Json stage_of(const Json& file, const char* key) {
  Json stage = file.value(key, Json());
  if (!stage.is_object()) return stage;
  for (const char* list : {"pretokenizers", "normalizers", "decoders"}) {
    if (!stage.contains(list)) continue;
    Json parts = stage.at(list);
    for (Json& part : parts) part.erase("trim_offsets");
    if (parts.size() < 2) return parts.empty() ? Json() : parts.at(0);
    return {{"type", "Sequence"}, {list, parts}};
  }
  stage.erase("trim_offsets");
  return stage;
}

// How a text is cut; at spaces that the normalizer has replaced it is not.
Json cut_of(const Json& file) {
  const Json stage = stage_of(file, "pre_tokenizer"), normalizer = stage_of(file, "normalizer");
  const Json space{{"String", " "}};
  const bool replaced = normalizer.is_object() && normalizer.value("type", "") == "Replace" &&
                        normalizer.value("pattern", Json()) == space;
  const bool at_spaces = stage.is_object() && stage.value("type", "") == "Split" &&
                         stage.value("pattern", Json()) == space;
  return replaced && at_spaces ? Json() : stage;
}

Json decoder_of(const Json& file) {
  Json decoder = stage_of(file, "decoder");
  if (!decoder.is_object() || decoder.value("type", "") != "ByteLevel") return decoder;
  return {{"type", "ByteLevel"}};
}

// As the tokenizer reads them: none of no content, and with what a file may leave out.
Json added_tokens(const Json& file) {
  const Json listed = file.value("added_tokens", Json());
  Json added = Json::array();
  for (const Json& token : listed) {
    if (token.at("content") == "") continue;
    Json whole{{"single_word", false},
               {"lstrip", false},
               {"rstrip", false},
               {"normalized", true},
               {"special", false}};
    for (const auto& [key, value] : token.items()) {
      if (!value.is_null()) whole[key] = value;
    }
    added.push_back(std::move(whole));
  }
  return added;
}

std::map<std::string, int64_t> ids_of(const Json& file) {
  std::map<std::string, int64_t> ids;
  for (const auto& [token, id] : file.at("model").at("vocab").items())
    ids[token] = id.get<int64_t>();
  for (const Json& token : added_tokens(file))
    ids[token.at("content").get<std::string>()] = token.at("id").get<int64_t>();
  return ids;
}

// Added tokens by their ids, with what decides where they are read.
std::map<int64_t, Json> added_of(const Json& file) {
  std::map<int64_t, Json> added;
  for (Json token : added_tokens(file)) {
    // Without a normalizer it makes no difference whether they see its text.
    if (stage_of(file, "normalizer").is_null()) token.erase("normalized");
    const auto id = token.at("id").get<int64_t>();
    added[id] = std::move(token);
  }
  return added;
}

// Merges as pairs, whichever way a file writes them.
Json merges_of(const Json& file) {
  Json pairs = Json::array();
  for (const Json& merge : file.at("model").at("merges")) {
    if (merge.is_array()) {
      pairs.push_back(merge);
      continue;
    }
    const auto text = merge.get<std::string>();
    const std::size_t space = text.find(' ', 1);
    pairs.push_back({text.substr(0, space), text.substr(std::min(space, text.size() - 1) + 1)});
  }
  return pairs;
}

// Of the model; off, empty and missing are one.
Json setting_of(const Json& file, const char* key) {
  const Json value = file.at("model").value(key, Json());
  return value == Json(false) || value == Json("") || value == Json(0.0) ? Json() : value;
}

// The first part in which two tokenizer files differ; empty where they give the same tokens.
std::string difference(const Json& a, const Json& b) {
  if (stage_of(a, "normalizer") != stage_of(b, "normalizer")) return "normalizer";
  if (cut_of(a) != cut_of(b)) return "pre_tokenizer";
  if (decoder_of(a) != decoder_of(b)) return "decoder";
  for (const char* key : {"ignore_merges", "byte_fallback", "unk_token", "fuse_unk", "dropout",
                          "continuing_subword_prefix", "end_of_word_suffix"}) {
    if (setting_of(a, key) != setting_of(b, key)) return key;
  }
  if (ids_of(a) != ids_of(b)) return "vocabulary";
  if (added_of(a) != added_of(b)) return "added tokens";
  return merges_of(a) == merges_of(b) ? "" : "order of merges";
}

// ---- metadata ---------------------------------------------------------------------------------

struct Column {
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
};

bool is_byte(const std::string& token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

// Every id to the end of the vocabulary; those that are no token's are unused.
Column column_of(const Json& file, int64_t vocabulary) {
  Column column;
  for (int64_t id = 0; id < vocabulary; ++id) column.tokens.push_back(fmt::format("[PAD{}]", id));
  column.types.assign(column.tokens.size(), kUnused);
  const Json& model = file.at("model");
  const bool bytes = setting_of(file, "byte_fallback") == Json(true);
  for (const auto& [token, id] : ids_of(file)) {
    const auto place = static_cast<std::size_t>(id);
    column.tokens[place] = token;
    column.types[place] = bytes && is_byte(token) ? kByte : kNormal;
  }
  const Json unknown = model.value("unk_token", Json());
  for (const Json& token : added_tokens(file)) {
    const bool special = token.at("special").get<bool>();
    column.types[token.at("id").get<std::size_t>()] = token.at("content") == unknown ? kUnknown
                                                      : special                      ? kControl
                                                                                     : kUserDefined;
  }
  return column;
}

// What a merge makes scores by its place, the first the highest, and what none makes below.
std::vector<float> scores_by_merges(const Json& file, const Column& column) {
  std::map<std::string, float> scores;
  float place = 0;
  for (const Json& pair : merges_of(file)) {
    scores.emplace(pair.at(0).get<std::string>() + pair.at(1).get<std::string>(), place);
    --place;
  }
  std::vector<float> list;
  for (const std::string& token : column.tokens) {
    auto found = scores.find(token);
    list.push_back(found == scores.end() ? place : found->second);
  }
  return list;
}

std::vector<std::string> merges_as_text(const Json& file) {
  std::vector<std::string> lines;
  for (const Json& pair : merges_of(file))
    lines.push_back(pair.at(0).get<std::string>() + " " + pair.at(1).get<std::string>());
  return lines;
}

template <class T>
void set(GgufMetadata& metadata, const std::string& key, const T& value) {
  metadata.set("tokenizer.ggml." + key, GgufValue::of(value));
}

template <class T>
void set_list(GgufMetadata& metadata, const std::string& key, const std::vector<T>& values) {
  metadata.set("tokenizer.ggml." + key, GgufValue::array_of(values));
}

// What every text is set between; a reason where that is neither of the two tokens.
std::string set_frame(GgufMetadata& metadata, const Tokenizer& tokenizer) {
  std::vector<int32_t> around = tokenizer.encode("").ids;
  const auto bos = tokenizer.special_id("bos"), eos = tokenizer.special_id("eos");
  const bool before = bos.has_value() && !around.empty() && around.front() == *bos;
  if (before) around.erase(around.begin());
  const bool after = eos.has_value() && !around.empty() && around.back() == *eos;
  if (after) around.pop_back();
  set(metadata, "add_bos_token", before);
  set(metadata, "add_eos_token", after);
  return around.empty() ? "" : "it sets other tokens than bos and eos around texts";
}

void set_roles(GgufMetadata& metadata, const Tokenizer& tokenizer) {
  for (const auto& [role, name] : {std::pair("bos", "bos"), std::pair("eos", "eos"),
                                   std::pair("unk", "unknown"), std::pair("pad", "padding")}) {
    const auto id = tokenizer.special_id(role);
    if (id.has_value()) set(metadata, std::string(name) + "_token_id", static_cast<uint32_t>(*id));
  }
}

// What the folder's configurations end texts with, one id or a list, as a list.
Json ending_ids(const fs::path& folder) {
  for (const char* name : {"generation_config.json", "config.json"}) {
    if (!fs::exists(folder / name)) continue;
    const ModelConfig config = ModelConfig::read(folder / name);
    if (!config.has("eos_token_id")) continue;
    const Json& ids = config.json().at("eos_token_id");
    if (ids.is_array()) return ids;
    return Json::array({ids});
  }
  return Json::array();
}

// The first of them that is not the tokenizer's eos. What is no id of the vocabulary is none.
void set_end_of_turn(GgufMetadata& metadata, const fs::path& folder, const Tokenizer& tokenizer,
                     int64_t vocabulary) {
  const std::optional<int32_t> eos = tokenizer.special_id("eos");
  for (const Json& one : ending_ids(folder)) {
    const int64_t id = one.is_number_integer() ? one.get<int64_t>() : -1;
    if (id < 0 || id >= vocabulary || id == eos) continue;
    if (!tokenizer.has_token(static_cast<int32_t>(id))) continue;
    return set(metadata, "eot_token_id", static_cast<uint32_t>(id));
  }
}

// By scores, or by the first name of how texts are cut that gives the same tokens back.
std::string set_pairs(GgufMetadata& metadata, const Json& file, const Column& column) {
  std::string different, lack;
  auto reads_back = [&]() {
    const std::string found = difference(gguf_tokenizer(metadata, lack)->file, file);
    // What is told is where the attempt that went farthest ended.
    if (different.empty() || (found != "normalizer" && found != "pre_tokenizer")) different = found;
    return found.empty();
  };
  const Json byte_level{{"type", "ByteLevel"}};
  if (decoder_of(file) != byte_level) {
    set(metadata, "model", std::string("llama"));
    set_list(metadata, "scores", scores_by_merges(file, column));
    for (bool space : {true, false}) {
      set(metadata, "add_space_prefix", space);
      if (reads_back()) return "";
    }
  } else {
    set(metadata, "model", std::string("gpt2"));
    set_list(metadata, "merges", merges_as_text(file));
    for (const std::string& pre : gguf_pre_tokenizers()) {
      set(metadata, "pre", pre);
      if (reads_back()) return "";
    }
  }
  return fmt::format("llama.cpp's words for it give another {}", different);
}

void set_chat_template(GgufMetadata& metadata, const fs::path& folder, const Json& config) {
  const fs::path own = folder / "chat_template.jinja";
  const Json configured = config.value("chat_template", Json());
  std::string text;
  if (fs::exists(own)) {
    text = read_file(own, chat::kMaxSourceBytes);
  } else if (configured.is_string()) {
    text = configured.get<std::string>();
  }
  if (!text.empty()) metadata.set("tokenizer.chat_template", GgufValue::of(text));
}

}  // namespace

std::string set_gguf_tokenizer(GgufMetadata& metadata, const fs::path& folder, int64_t vocabulary) {
  const Json config = read_object_if_any(folder / "tokenizer_config.json");
  const Json file = tokenizer_file(folder, config);
  if (file.is_null()) return "the folder has none";
  const Tokenizer tokenizer = Tokenizer::load(folder);  // which checks the file
  if (file.at("model").value("type", "") != "BPE") return "it is no byte-pair encoding";
  for (const auto& [token, id] : ids_of(file)) {
    if (id >= vocabulary)
      return fmt::format("its token {} is beyond the {} of the model", id, vocabulary);
  }
  GgufMetadata whole = metadata;
  const Column column = column_of(file, vocabulary);
  set_list(whole, "tokens", column.tokens);
  set_list(whole, "token_type", column.types);
  set_roles(whole, tokenizer);
  set_end_of_turn(whole, folder, tokenizer, vocabulary);
  std::string reason = set_frame(whole, tokenizer);
  if (reason.empty()) reason = set_pairs(whole, file, column);
  if (!reason.empty()) return reason;
  set_chat_template(whole, folder, config);
  metadata = std::move(whole);
  return "";
}

}  // namespace inlay
