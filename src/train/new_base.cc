#include "train/new_base.h"

#include <array>

#include "base/error.h"
#include "base/staged_folder.h"
#include "models/new_weights.h"
#include "text/tokenizer.h"

namespace inlay {
namespace {

constexpr std::array<const char*, 7> kTokenizerFiles = {
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json",
    "merges.txt",     "chat_template.jinja",   "generation_config.json"};

}  // namespace

void make_new_base(const std::filesystem::path& config, const std::filesystem::path& tokenizer,
                   const std::filesystem::path& folder, uint64_t seed) {
  ModelConfig read = ModelConfig::read(config);
  int64_t ids = Tokenizer::load(tokenizer).vocab_size();
  int64_t rows = read.integer("vocab_size", 1, int64_t{1} << 24);
  require(ids <= rows, ErrorKind::kInput,
          "{}: vocab_size is {}, and the tokenizer in {} has {} tokens; make vocab_size as large",
          config.string(), rows, tokenizer.string(), ids);
  StagedFolder staged(folder, StagedFolder::kRefuse);
  write_new_model(staged.path(), read, DType::kF32, seed);
  for (const char* name : kTokenizerFiles) {
    if (std::filesystem::exists(tokenizer / name))
      std::filesystem::copy_file(tokenizer / name, staged.path() / name);
  }
  staged.place();
}

}  // namespace inlay
