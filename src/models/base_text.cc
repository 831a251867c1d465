#include "models/base_text.h"

#include "base/error.h"
#include "formats/gguf.h"
#include "formats/gguf_checkpoint.h"
#include "models/gguf_tokenizer.h"

namespace inlay {

Tokenizer load_base_tokenizer(const std::filesystem::path& model) {
  if (!is_gguf_file(model)) return Tokenizer::load(model);
  const GgufFile file = GgufFile::open(model);
  std::string lack;
  if (std::optional<GgufTokenizer> own = gguf_tokenizer(file.metadata(), lack))
    return Tokenizer::parse(canonical_json(own->file), model.string(), own->config);
  const std::filesystem::path beside = model.parent_path() / "tokenizer.json";
  require(std::filesystem::exists(beside), ErrorKind::kInput,
          "{}: its metadata make no tokenizer ({}), and no tokenizer.json is beside it; put the "
          "model's there",
          model.string(), lack);
  return Tokenizer::load(beside);
}

std::optional<ModelChatTemplate> load_base_chat_template(const std::filesystem::path& model) {
  if (!is_gguf_file(model)) return load_chat_template(model);
  return gguf_chat_template(GgufFile::open(model).metadata());
}

std::vector<int32_t> load_base_ending_tokens(const std::filesystem::path& model) {
  if (!is_gguf_file(model)) return {};
  return gguf_ending_tokens(GgufFile::open(model).metadata());
}

}  // namespace inlay
