#include "text/tokenizer.h"

#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "text/decoder.h"
#include "text/parted_text.h"
#include "text/pipeline.h"
#include "text/post_processor.h"
#include "text/sentence_piece_tokenizer.h"
#include "text/special_roles.h"
#include "text/truncation.h"
#include "text/vocabulary_files.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxFileBytes = 256u << 20;
// Configurations write 10^30 for "no limit".
constexpr double kLargestMaxLength = 1e9;

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Json read_config(const std::filesystem::path& path) {
  if (!is_there(path)) return Json::object();
  Json config = read_json(path, kMaxFileBytes);
  require(config.is_object(), ErrorKind::kInput, "{}: expected a JSON object, found {}",
          path.string(), config.type_name());
  return config;
}

}  // namespace

struct Tokenizer::Parts {
  Parts(const text::Component& file, std::string file_hash);

  std::optional<int32_t> id(std::string_view token) const;
  std::optional<std::string_view> token(int32_t id) const;
  void read_configs(const Json& config, const Json& special_map);
  void guess_roles();

  text::Pipeline pipeline;
  std::unique_ptr<const text::PostProcessor> post_processor;  // may be null
  std::unique_ptr<const text::Decoder> decoder;               // may be null
  text::Truncation truncation;
  int64_t model_max_length = 0;  // of tokenizer_config.json, 0 if it says nothing
  std::map<std::string, int32_t, std::less<>> roles;
  std::string hash;
};

// One of the texts to encode, whole or in words.
struct Tokenizer::Input {
  std::string_view text;
  std::span<const std::string> words;
  bool in_words = false;
};

Tokenizer::Parts::Parts(const text::Component& file, std::string file_hash)
    : pipeline(file), hash(std::move(file_hash)) {
  auto component = [&file](const char* key) {
    return text::Component(file.child(key).json(), fmt::format("{}: {}", file.place(), key));
  };
  if (file.has("post_processor"))
    post_processor = text::build_post_processor(component("post_processor"));
  if (file.has("decoder")) decoder = text::build_decoder(component("decoder"));
  if (file.has("truncation")) truncation = text::Truncation(component("truncation"));
}

std::optional<int32_t> Tokenizer::Parts::id(std::string_view token) const {
  if (const auto* added = pipeline.added().by_content(token)) return added->id;
  return pipeline.model().vocabulary().id(token);
}

std::optional<std::string_view> Tokenizer::Parts::token(int32_t id) const {
  if (const auto* added = pipeline.added().by_id(id)) return added->content;
  return pipeline.model().vocabulary().token(id);
}

void Tokenizer::Parts::read_configs(const Json& config, const Json& special_map) {
  for (std::string_view role : text::special_roles()) {
    auto name = text::configured_token(config, role);
    if (!name) name = text::configured_token(special_map, role);
    const auto found = name ? id(*name) : std::nullopt;
    if (found) roles.emplace(role, *found);
  }
  const auto length = config.find("model_max_length");
  if (length != config.end() && length->is_number() && length->get<double>() >= 1 &&
      length->get<double>() <= kLargestMaxLength) {
    model_max_length = static_cast<int64_t>(length->get<double>());
  }
}

void Tokenizer::Parts::guess_roles() {
  const auto unknown = id(pipeline.model().unknown_token());
  if (unknown) roles.emplace("unk", *unknown);
  for (std::string_view role : text::special_roles()) {
    for (std::string_view name : text::usual_names(role)) {
      const auto* token = pipeline.added().by_content(name);
      if (token != nullptr) roles.emplace(role, token->id);
    }
  }
}

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::parse(std::string_view json_text, std::string_view where) {
  return parse(json_text, where, Json::object());
}

Tokenizer Tokenizer::parse(std::string_view json_text, std::string_view where, const Json& config) {
  const Json json = parse_json(json_text, where);
  auto parts =
      std::make_unique<Parts>(text::Component(json, std::string(where)), hex(sha256(json_text)));
  parts->read_configs(config, Json::object());
  parts->guess_roles();
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::load(const std::filesystem::path& model_folder_or_json) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(model_folder_or_json, ignored);
  const auto folder = is_folder ? model_folder_or_json : model_folder_or_json.parent_path();
  const auto path = is_folder ? folder / "tokenizer.json" : model_folder_or_json;
  const Json config = read_config(folder / "tokenizer_config.json");
  std::string bytes;
  if (is_folder && !is_there(path)) {
    auto equivalent = text::tokenizer_from_vocabulary(folder, config);
    if (!equivalent) equivalent = text::tokenizer_from_sentence_piece(folder, config);
    require(
        equivalent.has_value(), ErrorKind::kInput,
        "{}: found no tokenizer; expected tokenizer.json, vocab.txt, vocab.json with merges.txt, "
        "tokenizer.model, spiece.model or sentencepiece.bpe.model",
        folder.string());
    bytes = canonical_json(*equivalent);
  } else {
    bytes = read_file(path, kMaxFileBytes);
  }
  const Json json = parse_json(bytes, path.string());
  auto parts = std::make_unique<Parts>(text::Component(json, path.string()), hex(sha256(bytes)));
  parts->read_configs(config, read_config(folder / "special_tokens_map.json"));
  parts->guess_roles();
  return Tokenizer(std::move(parts));
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const Input inputs[] = {{.text = text}};
  return encode_inputs(inputs, options);
}

Encoding Tokenizer::encode(std::string_view first, std::string_view second,
                           const EncodeOptions& options) const {
  const Input inputs[] = {{.text = first}, {.text = second}};
  return encode_inputs(inputs, options);
}

Encoding Tokenizer::encode_words(std::span<const std::string> words,
                                 const EncodeOptions& options) const {
  const Input inputs[] = {{.words = words, .in_words = true}};
  return encode_inputs(inputs, options);
}

namespace {

text::Tokens encode_words_alone(const text::Pipeline& pipeline,
                                std::span<const std::string> words) {
  text::Tokens tokens;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t begin = tokens.size();
    pipeline.run(words[i], tokens);
    for (std::size_t t = begin; t < tokens.size(); ++t) tokens[t].word = static_cast<int32_t>(i);
  }
  return tokens;
}

Encoding to_columns(const std::vector<text::Tokens>& row) {
  std::size_t size = 0;
  for (const text::Tokens& tokens : row) size += tokens.size();
  Encoding e;
  for (auto* column : {&e.ids, &e.type_ids, &e.word_ids, &e.sequence_ids}) column->reserve(size);
  e.offsets.reserve(size);
  e.special_mask.reserve(size);
  for (const text::Tokens& tokens : row) {
    for (const text::Token& token : tokens) {
      e.ids.push_back(token.id);
      e.type_ids.push_back(token.type);
      e.word_ids.push_back(token.word);
      e.sequence_ids.push_back(token.sequence);
      e.offsets.emplace_back(token.begin, token.end);
      e.special_mask.push_back(token.special ? 1 : 0);
    }
  }
  return e;
}

std::vector<int32_t> part_column(const std::vector<text::Tokens>& row) {
  std::vector<int32_t> parts;
  for (const text::Tokens& tokens : row) {
    parts.reserve(parts.size() + tokens.size());
    for (const text::Token& token : tokens) parts.push_back(token.part);
  }
  return parts;
}

}  // namespace

Encoding Tokenizer::encode_inputs(std::span<const Input> inputs,
                                  const EncodeOptions& options) const {
  std::vector<text::Tokens> row(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].in_words) {
      row[i] = encode_words_alone(parts_->pipeline, inputs[i].words);
    } else {
      parts_->pipeline.run(inputs[i].text, row[i]);
    }
  }
  const int64_t total = frame(row, options);
  Encoding encoding = to_columns(row);
  encoding.tokens_before_truncation = static_cast<int32_t>(total);
  return encoding;
}

Encoding Tokenizer::encode_parts(std::span<const TextPart> parts,
                                 const EncodeOptions& options) const {
  std::vector<text::Tokens> row(1);
  parts_->pipeline.run(text::PartedText(parts), row[0]);
  const int64_t total = frame(row, options);
  Encoding encoding = to_columns(row);
  encoding.part_ids = part_column(row);
  encoding.tokens_before_truncation = static_cast<int32_t>(total);
  return encoding;
}

int64_t Tokenizer::frame(std::vector<text::Tokens>& row, const EncodeOptions& options) const {
  int64_t total = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    for (text::Token& token : row[i]) token.sequence = token.type = static_cast<int32_t>(i);
    total += static_cast<int64_t>(row[i].size());
  }
  const bool pair = row.size() == 2;
  const bool adds = options.add_special_tokens && parts_->post_processor != nullptr;
  const int64_t added = adds ? parts_->post_processor->added_tokens(pair) : 0;
  if (options.max_length > 0) {
    require(options.max_length >= added, ErrorKind::kUsage,
            "max_length {} has no room for the {} special tokens; use at least {}",
            options.max_length, added, added + 1);
    parts_->truncation.apply(row[0], pair ? &row[1] : nullptr, options.max_length - added);
  }
  if (parts_->post_processor != nullptr)
    parts_->post_processor->process(row, options.add_special_tokens);
  return total + added;
}

std::unique_ptr<text::DecoderStage> Tokenizer::decode_into(std::string& text) const {
  if (parts_->decoder == nullptr) return text::end_of_decoding_with_spaces(text);
  return parts_->decoder->stage(text::end_of_decoding(text));
}

std::optional<std::string_view> Tokenizer::written(int32_t id, bool skip_special) const {
  const auto* added = parts_->pipeline.added().by_id(id);
  if (skip_special && added != nullptr && added->special) return std::nullopt;
  return parts_->token(id);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string text;
  const auto stage = decode_into(text);
  for (int32_t id : ids) {
    if (const auto token = written(id, skip_special)) stage->push(*token, true);
  }
  stage->finish();
  return text;
}

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  return parts_->id(token);
}

bool Tokenizer::has_token(int32_t id) const { return parts_->token(id).has_value(); }

std::string_view Tokenizer::id_to_token(int32_t id) const {
  const auto token = parts_->token(id);
  require(token.has_value(), ErrorKind::kUsage,
          "id {} belongs to no token; the tokenizer has {} tokens", id, vocab_size());
  return *token;
}

int64_t Tokenizer::vocab_size() const {
  const auto& vocabulary = parts_->pipeline.model().vocabulary();
  auto size = static_cast<int64_t>(vocabulary.size());
  for (const auto& token : parts_->pipeline.added().tokens()) {
    if (!vocabulary.token(token.id)) ++size;
  }
  return size;
}

std::optional<int64_t> Tokenizer::max_length() const {
  if (parts_->truncation.max_length > 0) return parts_->truncation.max_length;
  if (parts_->model_max_length > 0) return parts_->model_max_length;
  return std::nullopt;
}

const std::string& Tokenizer::hash() const { return parts_->hash; }

std::optional<int32_t> Tokenizer::special_id(std::string_view role) const {
  const auto found = parts_->roles.find(role);
  if (found == parts_->roles.end()) return std::nullopt;
  return found->second;
}

std::vector<int32_t> Tokenizer::special_ids() const {
  std::set<int32_t> ids;
  for (const auto& [role, id] : parts_->roles) ids.insert(id);
  for (const auto& token : parts_->pipeline.added().tokens()) {
    if (token.special) ids.insert(token.id);
  }
  const Encoding empty = encode("");
  ids.insert(empty.ids.begin(), empty.ids.end());
  return {ids.begin(), ids.end()};
}

}  // namespace inlay
