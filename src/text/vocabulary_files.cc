#include "text/vocabulary_files.h"

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "text/special_roles.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

constexpr std::size_t kMaxVocabularyBytes = 64u << 20;

// Calls `line(text)` for each line, without its end; the last one may lack it.
template <class Line>
void for_each_line(const std::filesystem::path& path, Line line) {
  const std::string bytes = read_file(path, kMaxVocabularyBytes);
  const auto invalid = first_invalid_utf8(bytes);
  require(!invalid, ErrorKind::kInput, "{}: not valid UTF-8 at byte {}", path.string(),
          invalid.value_or(0));
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
    std::string_view text = std::string_view(bytes).substr(at, end - at);
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(text);
    at = end + 1;
  }
}

std::string role_name(const Json& config, std::string_view role, std::string_view fallback) {
  return configured_token(config, role).value_or(std::string(fallback));
}

// A special token of the vocabulary; false when it is not in there.
bool add_special(Json& file, const std::string& content, bool lstrip = false) {
  const Json& vocab = file["model"]["vocab"];
  const auto id = vocab.find(content);
  if (id == vocab.end()) return false;
  for (const Json& token : file["added_tokens"]) {
    if (token["content"] == content) return true;
  }
  file["added_tokens"].push_back({{"id", *id},
                                  {"content", content},
                                  {"single_word", false},
                                  {"lstrip", lstrip},
                                  {"rstrip", false},
                                  {"normalized", false},
                                  {"special", true}});
  return true;
}

Json empty_file() {
  return {{"version", "1.0"},      {"truncation", nullptr},
          {"padding", nullptr},    {"added_tokens", Json::array()},
          {"normalizer", nullptr}, {"pre_tokenizer", nullptr},
          {"model", nullptr},      {"post_processor", nullptr},
          {"decoder", nullptr}};
}

Json named_id(const Json& file, const std::string& token) {
  const Json& vocab = file["model"]["vocab"];
  require(
      vocab.contains(token), ErrorKind::kInput,
      "the vocabulary has no \"{}\", which the tokenizer needs; name it in tokenizer_config.json",
      token);
  return Json::array({token, vocab[token]});
}

Json bert_file(const std::filesystem::path& vocab_path, const Json& config) {
  Json vocab = Json::object();
  int64_t next = 0;
  for_each_line(vocab_path, [&](std::string_view token) { vocab[std::string(token)] = next++; });
  const std::string place = "tokenizer_config.json";
  Json file = empty_file();
  file["model"] = {{"type", "WordPiece"},
                   {"unk_token", role_name(config, "unk", "[UNK]")},
                   {"continuing_subword_prefix", "##"},
                   {"max_input_chars_per_word", 100},
                   {"vocab", std::move(vocab)}};
  for (std::string_view role : {"pad", "unk", "cls", "sep", "mask"}) {
    add_special(file, role_name(config, role, usual_names(role)[0]));
  }
  const bool lowercase = json_get_or<bool>(config, "do_lower_case", true, place);
  file["normalizer"] = {
      {"type", "BertNormalizer"},
      {"clean_text", true},
      {"handle_chinese_chars", json_get_or<bool>(config, "tokenize_chinese_chars", true, place)},
      {"strip_accents", json_get_or<bool>(config, "strip_accents", lowercase, place)},
      {"lowercase", lowercase}};
  file["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  file["post_processor"] = {{"type", "BertProcessing"},
                            {"sep", named_id(file, role_name(config, "sep", "[SEP]"))},
                            {"cls", named_id(file, role_name(config, "cls", "[CLS]"))}};
  file["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  return file;
}

Json merges_list(const std::filesystem::path& path) {
  Json merges = Json::array();
  bool first = true;
  for_each_line(path, [&](std::string_view line) {
    const bool is_version = first && line.starts_with("#version");
    if (!is_version && !line.empty()) merges.push_back(std::string(line));
    first = false;
  });
  return merges;
}

// RoBERTa frames a text with <s> and </s>, GPT-2 with nothing; the class says which, or else the
// vocabulary.
bool is_roberta(const Json& config, const Json& vocab) {
  const std::string type =
      json_get_or<std::string>(config, "tokenizer_class", "", "tokenizer_config.json");
  if (!type.empty()) return !type.starts_with("GPT2");
  return vocab.contains("<s>") && vocab.contains("</s>");
}

Json byte_level_file(const std::filesystem::path& folder, const Json& config) {
  Json file = empty_file();
  file["model"] = {{"type", "BPE"},
                   {"vocab", read_json(folder / "vocab.json", kMaxVocabularyBytes)},
                   {"merges", merges_list(folder / "merges.txt")}};
  const bool roberta = is_roberta(config, file["model"]["vocab"]);
  const bool prefix_space =
      json_get_or<bool>(config, "add_prefix_space", false, "tokenizer_config.json");
  file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", prefix_space}};
  file["decoder"] = {{"type", "ByteLevel"}};
  if (!roberta) {
    add_special(file, role_name(config, "eos", "<|endoftext|>"));
    file["post_processor"] = {{"type", "ByteLevel"}, {"trim_offsets", false}};
    return file;
  }
  for (std::string_view role : {"bos", "eos", "unk", "sep", "pad", "cls"}) {
    add_special(file, role_name(config, role,
                                role == "bos" || role == "cls" ? "<s>"
                                : role == "unk"                ? "<unk>"
                                : role == "pad"                ? "<pad>"
                                                               : "</s>"));
  }
  add_special(file, role_name(config, "mask", "<mask>"), true);
  file["post_processor"] = {{"type", "RobertaProcessing"},
                            {"sep", named_id(file, role_name(config, "sep", "</s>"))},
                            {"cls", named_id(file, role_name(config, "cls", "<s>"))},
                            {"trim_offsets", true},
                            {"add_prefix_space", prefix_space}};
  return file;
}

}  // namespace

std::optional<Json> tokenizer_from_vocabulary(const std::filesystem::path& folder,
                                              const Json& config) {
  auto has = [&folder](const char* name) {
    std::error_code ignored;
    return std::filesystem::exists(folder / name, ignored);
  };
  if (has("vocab.txt")) return bert_file(folder / "vocab.txt", config);
  if (has("vocab.json") && has("merges.txt")) {
    return byte_level_file(folder, config);
  }
  return std::nullopt;
}

}  // namespace inlay::text
