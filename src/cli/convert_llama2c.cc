#include "cli/convert_llama2c.h"

#include "hub/import_llama2c.h"
#include "text/sentence_piece_tokenizer.h"

namespace inlay::cli {

Json convert_llama2c(const std::filesystem::path& checkpoint,
                     const std::filesystem::path& tokenizer, const std::filesystem::path& out) {
  const Llama2cImport done =
      import_llama2c(checkpoint, text::tokenizer_json_from_llama2c(tokenizer), out);
  return {{"from", "llama2.c"}, {"to", "huggingface"},     {"folder", out.string()},
          {"kind", "model"},    {"modules", done.tensors}, {"parameters", done.parameters},
          {"rank", nullptr},    {"scale", nullptr},        {"notes", Json::array()}};
}

}  // namespace inlay::cli
