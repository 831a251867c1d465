// inlay tokenizer: learns a tokenizer from text, for a model that is to be trained from nothing.
#include <fmt/core.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/units.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "data/corpus.h"
#include "text/bpe_tokenizer_file.h"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct TokenizerOptions {
  Common common;
  std::vector<std::string> data;
  std::string out;
  text::BpeTraining training;
  ColumnNames columns;
  int64_t max_length = 2048;
  bool add_bos = false;
};

text::LearntBpe learn(const TokenizerOptions& options) {
  text::BpeTrainer trainer(options.training);
  std::vector<std::string> paths;
  for (const std::string& path : options.data) paths.push_back(resolve_data(path));
  ProgressLine line;
  uint64_t bytes = 0, shown = 0;
  for_each_text(paths, options.columns, [&](std::string_view text) {
    trainer.add(text);
    bytes += text.size();
    if (bytes - shown < 1'000'000) return;
    line.update(fmt::format("counting words  {}", format_bytes(bytes)));
    shown = bytes;
  });
  line.update(fmt::format("learning from {} of text", format_bytes(bytes)));
  return trainer.train();
}

Json learnt_json(const text::LearntBpe& learnt, const TokenizerOptions& options,
                 const std::string& sha256) {
  return {{"out", options.out},
          {"sha256", sha256},
          {"tokens", learnt.vocabulary.size()},
          {"merges", learnt.merges.size()},
          {"special_tokens", learnt.special_tokens},
          {"texts", learnt.texts},
          {"bytes", learnt.bytes},
          {"words", learnt.words},
          {"distinct_words", learnt.distinct_words},
          {"long_words", learnt.long_words},
          {"bytes_per_token",
           static_cast<double>(learnt.learnt_bytes) / static_cast<double>(learnt.tokens)}};
}

void print_learnt(const Json& json, const TokenizerOptions& options) {
  auto count = [&](const char* key) { return format_count(json.at(key).get<int64_t>()); };
  fmt::print("{}: {} tokens, of which {} were merged\n", options.out, count("tokens"),
             count("merges"));
  fmt::print("texts {}, bytes {}, words {}, different ones {}\n", count("texts"), count("bytes"),
             count("words"), count("distinct_words"));
  fmt::print("bytes per token {:.3f} on these texts\n", json.at("bytes_per_token").get<double>());
  if (json.at("tokens").get<int64_t>() < options.training.vocab_size) {
    fmt::print(
        "note: {} tokens were asked for, but no further pair occurs {} times; more text has "
        "more\n",
        format_count(options.training.vocab_size), format_count(options.training.min_frequency));
  }
  if (json.at("long_words").get<int64_t>() > 0) {
    fmt::print("note: nothing was learnt from {} words of more than {} bytes\n",
               count("long_words"),
               format_count(static_cast<int64_t>(options.training.limits.word_bytes)));
  }
}

void run_tokenizer(const TokenizerOptions& options) {
  const fs::path file = fs::path(options.out) / "tokenizer.json";
  require(!fs::exists(file), ErrorKind::kUsage,
          "{}: there is a tokenizer already; give another --out or move it away", file.string());
  const text::LearntBpe learnt = learn(options);
  const std::string bytes = text::bpe_tokenizer_json(
      learnt, options.add_bos ? text::BeginOfText::kAdd : text::BeginOfText::kLeaveOut);
  write_file_atomically(fs::path(options.out) / "tokenizer_config.json",
                        text::bpe_tokenizer_config_json(learnt, options.max_length));
  write_file_atomically(file, bytes);
  const Json json = learnt_json(learnt, options, hex(sha256(bytes)));
  options.common.json ? print_json(json) : print_learnt(json, options);
}

}  // namespace

void add_tokenizer(CLI::App& app) {
  auto options = std::make_shared<TokenizerOptions>();
  CLI::App* command = app.add_subcommand(
      "tokenizer", "Learn a byte-level BPE tokenizer from text, for a model trained from nothing");
  command
      ->add_option("data", options->data,
                   ".txt files, tables with a text column, folders of either, or - for standard "
                   "input")
      ->required();
  command
      ->add_option("--out", options->out, "the folder for tokenizer.json and tokenizer_config.json")
      ->required();
  command
      ->add_option("--vocab-size", options->training.vocab_size,
                   "tokens, special ones and the 256 bytes included")
      ->capture_default_str();
  command
      ->add_option("--min-frequency", options->training.min_frequency,
                   "how often two tokens must stand together to become one")
      ->capture_default_str();
  command
      ->add_option("--special-tokens", options->training.special_tokens,
                   "with commas between; the first begins a text, the second ends it, a single "
                   "one does both")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_flag("--add-bos", options->add_bos,
                    "encoding sets the first special token before every text");
  command
      ->add_option("--max-length", options->max_length,
                   "tokens that the model will take, for tokenizer_config.json")
      ->check(CLI::Range(int64_t{1}, kMaxLength))
      ->capture_default_str();
  add_column_flags(*command, options->columns, TableUse::kTextsOnly);
  add_common(*command, options->common);
  command->footer(
      examples({"inlay tokenizer --out tok corpus.txt",
                "inlay tokenizer --vocab-size 8192 --out tok corpus/ reviews.csv",
                "inlay tokenizer --special-tokens '<s>,</s>' --add-bos --out tok corpus.txt"}));
  command->callback([options] { run_tokenizer(*options); });
}

}  // namespace inlay::cli
