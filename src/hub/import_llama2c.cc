#include "hub/import_llama2c.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/staged_folder.h"
#include "formats/rotary_rows.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeaderFields = 7, kHeaderBytes = kHeaderFields * sizeof(int32_t);
constexpr int32_t kVersionedMagic = 0x616b3432;  // "ak42": how later versions begin

// D: channels, F: feed-forward channels, H: heads, K: heads of keys and values, V: vocabulary.
struct Header {
  int64_t channels, hidden, layers, heads, kv_heads, vocabulary, positions;
  bool tied;

  int64_t head_dim() const { return channels / heads; }
  int64_t kv_channels() const { return kv_heads * head_dim(); }
  // The two rotary tables: a cosine and a sine for each position and pair of channels.
  int64_t table_values() const { return positions * head_dim(); }
};

void check_field(const char* name, int64_t value, int64_t most, const std::string& where) {
  require(1 <= value && value <= most, ErrorKind::kInput,
          "{}: the header's {} is {}; expected 1 to {}. Is this a model file of llama2.c?", where,
          name, value, most);
}

// The limits keep every product below 2^63.
void check_header(const Header& header, const std::string& where) {
  check_field("dim", header.channels, 1 << 16, where);
  check_field("hidden_dim", header.hidden, 1 << 18, where);
  check_field("number of layers", header.layers, 1000, where);
  check_field("number of heads", header.heads, 4096, where);
  check_field("number of key and value heads", header.kv_heads, header.heads, where);
  check_field("vocabulary", header.vocabulary, 1 << 22, where);
  check_field("number of positions", header.positions, 1 << 22, where);
  require(header.channels % header.heads == 0 && header.head_dim() % 2 == 0, ErrorKind::kInput,
          "{}: the header has {} heads for dim {}; expected heads of one even size", where,
          header.heads, header.channels);
  require(header.heads % header.kv_heads == 0, ErrorKind::kInput,
          "{}: the header has {} heads and {} of keys and values; expected a multiple", where,
          header.heads, header.kv_heads);
}

Header read_header(std::span<const std::byte> file, const std::string& where) {
  require(file.size() >= kHeaderBytes, ErrorKind::kInput,
          "{}: {} bytes; a model file of llama2.c has a header of {}", where, file.size(),
          kHeaderBytes);
  std::array<int32_t, kHeaderFields> fields;
  std::memcpy(fields.data(), file.data(), kHeaderBytes);
  require(fields[0] != kVersionedMagic, ErrorKind::kInput,
          "{}: a file of version 1 or later; only version 0 is read: export it with --version 0",
          where);
  const int64_t vocabulary = fields[5];
  Header header{.channels = fields[0],
                .hidden = fields[1],
                .layers = fields[2],
                .heads = fields[3],
                .kv_heads = fields[4],
                .vocabulary = std::abs(vocabulary),
                .positions = fields[6],
                .tied = vocabulary > 0};
  check_header(header, where);
  return header;
}

// A kind of tensor that every layer has, in the order of the file.
struct LayerPart {
  const char* name;
  int64_t rows;  // 0: a vector
  int64_t columns;
  int64_t rotary_heads = 0;  // whose rows are interleaved

  int64_t count() const { return std::max<int64_t>(rows, 1) * columns; }
  Shape shape() const { return rows == 0 ? Shape({columns}) : Shape({rows, columns}); }
};

std::vector<LayerPart> layer_parts(const Header& header) {
  const int64_t c = header.channels, k = header.kv_channels(), f = header.hidden;
  return {{"input_layernorm", 0, c},
          {"self_attn.q_proj", c, c, header.heads},
          {"self_attn.k_proj", k, c, header.kv_heads},
          {"self_attn.v_proj", k, c},
          {"self_attn.o_proj", c, c},
          {"post_attention_layernorm", 0, c},
          {"mlp.gate_proj", f, c},
          {"mlp.down_proj", c, f},
          {"mlp.up_proj", f, c}};
}

int64_t value_count(const Header& header) {
  int64_t layer = 0;
  for (const LayerPart& part : layer_parts(header)) layer += part.count();
  const int64_t matrices = header.tied ? 1 : 2;
  return matrices * header.vocabulary * header.channels + header.layers * layer + header.channels +
         header.table_values();
}

void check_size(const Header& header, std::size_t bytes, const std::string& where) {
  const auto expected = kHeaderBytes + static_cast<uint64_t>(value_count(header)) * sizeof(float);
  require(bytes == expected, ErrorKind::kInput,
          "{}: {} bytes, where its header (dim {}, hidden_dim {}, {} layers, {} heads, {} of keys "
          "and values, vocabulary {}, {} positions) makes {}; is the file whole?",
          where, bytes, header.channels, header.hidden, header.layers, header.heads,
          header.kv_heads, header.vocabulary, header.positions, expected);
}

// Hands out the file's values from the front, borrowed: the file stays mapped with them.
class Values {
 public:
  explicit Values(std::shared_ptr<const MappedFile> file)
      : file_(std::move(file)), rest_(file_->bytes().subspan(kHeaderBytes)) {}

  Tensor take(const Shape& shape) {
    const std::size_t bytes = static_cast<std::size_t>(shape.count()) * sizeof(float);
    Tensor tensor = Tensor::borrow(shape, DType::kF32, rest_.first(bytes), file_);
    rest_ = rest_.subspan(bytes);
    return tensor;
  }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::span<const std::byte> rest_;
};

std::vector<NamedTensor> tensors_of(const Header& header, Values values) {
  std::vector<NamedTensor> tensors;
  const Shape vocabulary({header.vocabulary, header.channels});
  tensors.push_back({"model.embed_tokens.weight", values.take(vocabulary)});
  for (const LayerPart& part : layer_parts(header)) {
    for (int64_t layer = 0; layer < header.layers; ++layer) {
      Tensor tensor = values.take(part.shape());
      if (part.rotary_heads > 0) tensor = uninterleave_rows(tensor, part.rotary_heads);
      tensors.push_back({fmt::format("model.layers.{}.{}.weight", layer, part.name), tensor});
    }
  }
  tensors.push_back({"model.norm.weight", values.take({header.channels})});
  if (header.tied) return tensors;
  values.take({header.table_values()});
  tensors.push_back({"lm_head.weight", values.take(vocabulary)});
  return tensors;
}

// What the format does not say is fixed in llama2.c.
Json config_of(const Header& header) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"attention_bias", false},
          {"attention_dropout", 0.0},
          {"bos_token_id", 1},
          {"eos_token_id", 2},
          {"head_dim", header.head_dim()},
          {"hidden_act", "silu"},
          {"hidden_size", header.channels},
          {"initializer_range", 0.02},
          {"intermediate_size", header.hidden},
          {"max_position_embeddings", header.positions},
          {"mlp_bias", false},
          {"model_type", "llama"},
          {"num_attention_heads", header.heads},
          {"num_hidden_layers", header.layers},
          {"num_key_value_heads", header.kv_heads},
          {"pretraining_tp", 1},
          {"rms_norm_eps", 1e-5},
          {"rope_scaling", nullptr},
          {"rope_theta", 10000.0},
          {"tie_word_embeddings", header.tied},
          {"torch_dtype", "float32"},
          {"use_cache", true},
          {"vocab_size", header.vocabulary}};
}

// llama2.c's training texts follow each other with <s> between them, so that it also ends one.
Json generation_config() { return {{"bos_token_id", 1}, {"eos_token_id", {1, 2}}}; }

Json tokenizer_config(const Header& header) {
  return {{"add_bos_token", true},
          {"add_eos_token", false},
          {"bos_token", "<s>"},
          {"clean_up_tokenization_spaces", false},
          {"eos_token", "</s>"},
          {"model_max_length", header.positions},
          {"tokenizer_class", "PreTrainedTokenizerFast"},
          {"unk_token", "<unk>"}};
}

void check_tokenizer(const Json& tokenizer, const Header& header, const std::string& where) {
  const std::size_t tokens = tokenizer.at("model").at("vocab").size();
  require(tokens == static_cast<std::size_t>(header.vocabulary), ErrorKind::kInput,
          "{}: the model has {} tokens and the tokenizer {}; is that the model's tokenizer?", where,
          header.vocabulary, tokens);
}

}  // namespace

Llama2cImport import_llama2c(const fs::path& checkpoint, const Json& tokenizer,
                             const fs::path& out) {
  const std::string where = checkpoint.string();
  auto file = std::make_shared<const MappedFile>(checkpoint);
  const Header header = read_header(file->bytes(), where);
  check_size(header, file->bytes().size(), where);
  check_tokenizer(tokenizer, header, where);
  StagedFolder staged(out, StagedFolder::kRefuse);
  const std::vector<NamedTensor> tensors = tensors_of(header, Values(std::move(file)));
  write_safetensors(staged.path() / "model.safetensors", tensors, {{"format", "pt"}});
  const std::array<std::pair<const char*, Json>, 4> files = {
      {{"config.json", config_of(header)},
       {"generation_config.json", generation_config()},
       {"tokenizer.json", tokenizer},
       {"tokenizer_config.json", tokenizer_config(header)}}};
  for (const auto& [name, json] : files)
    write_file_atomically(staged.path() / name, pretty_json(json));
  staged.place();
  Llama2cImport done{.tensors = tensors.size()};
  for (const NamedTensor& tensor : tensors) done.parameters += tensor.tensor.count();
  return done;
}

}  // namespace inlay
