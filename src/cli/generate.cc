// inlay generate: what a language model writes after prompts, with an adapter or without, as it
// comes or as JSON lines.
#include <fmt/core.h>

#include <cstdio>

#include "base/log.h"
#include "cli/asked_learner.h"
#include "cli/command.h"
#include "cli/config_flags.h"
#include "data/lines.h"
#include "eval/generation/chat_prompt.h"
#include "eval/generation/generation_config.h"
#include "eval/generation/generator.h"
#include "eval/opened_learner.h"
#include "tensor/threads.h"
#include "train/trainer.h"

namespace inlay::cli {
namespace {

struct GenerateOptions {
  Common common;
  std::string model, adapter, input, system, quantise = "none", compute = "auto";
  std::vector<std::string> prompts;
  bool chat = false, stream = false;
  GenerationOptions generation;
};

std::vector<std::string> texts_of(const GenerateOptions& options) {
  require(options.prompts.empty() || options.input.empty(), ErrorKind::kUsage,
          "give --prompt or a file of prompts, not both");
  if (!options.prompts.empty()) return options.prompts;
  std::vector<std::string> texts;
  for (const Example& line : load_lines(options.input.empty() ? "-" : options.input).examples)
    texts.push_back(line.text);
  return texts;
}

std::vector<std::vector<int32_t>> tokens_of(const GenerateOptions& options,
                                            const std::vector<std::string>& texts,
                                            const Tokenizer& tokenizer,
                                            const std::filesystem::path& model) {
  std::vector<std::vector<int32_t>> prompts;
  prompts.reserve(texts.size());
  require(options.chat || options.system.empty(), ErrorKind::kUsage,
          "--system goes with --chat: without it the prompt is plain text");
  std::optional<ModelChatTemplate> chat_template;
  if (options.chat) chat_template = require_chat_template(model);
  for (const std::string& text : texts) {
    prompts.push_back(options.chat
                          ? chat_prompt(first_turn(options.system, text), tokenizer, *chat_template)
                          : plain_prompt(text, tokenizer));
  }
  return prompts;
}

Json to_json(const std::string& prompt, const Generated& made, bool logprobs) {
  Json line{{"prompt", prompt},
            {"text", made.text},
            {"tokens", made.ids.size()},
            {"end", text_end_name(made.end)}};
  if (!logprobs) return line;
  Json tokens = Json::array();
  for (const ChosenToken& token : made.tokens) {
    Json likeliest = Json::array();
    for (const TokenLogprob& other : token.likeliest)
      likeliest.push_back({{"id", other.id}, {"logprob", other.logprob}});
    tokens.push_back({{"id", token.id}, {"logprob", token.logprob}, {"likeliest", likeliest}});
  }
  line["logprobs"] = tokens;
  return line;
}

double rate(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

void run_generate(const GenerateOptions& options) {
  require(!options.stream || options.prompts.size() == 1, ErrorKind::kUsage,
          "--stream shows one text as it comes; give one --prompt with it");
  start_threads(options.common.threads);
  std::vector<std::string> texts = texts_of(options);
  std::filesystem::path folder = resolve_model(options.model);
  OpenedLearner opened = open_learner({.model = folder,
                                       .adapter = options.adapter,
                                       .task = "causal-lm",
                                       .quantise = options.quantise});
  std::vector<std::vector<int32_t>> prompts = tokens_of(options, texts, *opened.tokenizer, folder);
  Context context(resolve_compute(options.compute));
  activate(context, opened.learner);
  GenerationOptions generation = options.generation;
  generation.eos_token_ids = ending_tokens(folder, *opened.tokenizer);
  Generator generator(context, *opened.learner.model, *opened.tokenizer, generation);
  auto show = [](std::size_t, std::string_view piece) {
    fmt::print("{}", piece);
    std::fflush(stdout);
  };
  std::vector<Generated> made =
      generator.run(prompts, options.stream ? Generator::Listener(show) : Generator::Listener(),
                    positions_taken(opened.learner));
  if (options.stream) {
    fmt::print("\n");
  } else {
    for (std::size_t i = 0; i < made.size(); ++i)
      print_json(to_json(texts[i], made[i], generation.logprobs > 0));
  }
  const GenerationWork& work = generator.work();
  log_info("{} prompt tokens at {:.0f} a second, {} new ones at {:.1f} a second",
           work.prompt_tokens, rate(work.prompt_tokens, work.prompt_seconds), work.new_tokens,
           rate(work.new_tokens, work.new_seconds));
  if (options.common.json) {
    print_json({{"n", made.size()},
                {"prompt_tokens", work.prompt_tokens},
                {"prompt_seconds", work.prompt_seconds},
                {"new_tokens", work.new_tokens},
                {"new_seconds", work.new_seconds}});
  }
}

}  // namespace

void add_generate(CLI::App& app) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command = app.add_subcommand(
      "generate", "Continue texts with a language model, with an adapter or without");
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder")
      ->required();
  command->add_option("--adapter", options->adapter, "an adapter's folder");
  command
      ->add_option("--prompt", options->prompts, "a text to go on with; can be given several times")
      ->allow_extra_args(false);
  command->add_option(
      "input", options->input,
      "a file with a prompt per line, or - for standard input, instead of --prompt");
  command->add_flag("--chat", options->chat,
                    "the prompt is what a user says: it is put into the model's chat template");
  command->add_option("--system", options->system, "what the system says first, with --chat");
  command->add_flag("--stream", options->stream, "show the text as it comes");
  add_flags(*command, [options](FieldVisitor& visit) { options->generation.fields(visit); });
  add_quantise_flag(*command, options->quantise);
  command->add_option("--compute", options->compute, "auto, f32 or bf16")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  add_common(*command, options->common);
  command->footer(examples(
      {"inlay generate --model FOLDER --prompt 'Once upon a time' --stream",
       "inlay generate --model FOLDER --adapter runs/a/adapter --chat --prompt 'Who are you?'",
       "inlay generate --model FOLDER --do-sample --temperature 0.8 --seed 3 prompts.txt",
       "inlay generate --model FOLDER --prompt 'One, two,' --max-new-tokens 8 --logprobs 3"}));
  command->callback([options] { run_generate(*options); });
}

}  // namespace inlay::cli
