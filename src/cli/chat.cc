// inlay chat: talk with a language model, changing its adapters between answers.
#include <fmt/core.h>

#include <cstdio>
#include <iostream>

#include "adapters/storage.h"
#include "base/log.h"
#include "cli/asked_learner.h"
#include "cli/command.h"
#include "cli/config_flags.h"
#include "eval/generation/chat_prompt.h"
#include "eval/generation/chat_session.h"
#include "eval/opened_learners.h"
#include "models/base_text.h"
#include "tensor/threads.h"
#include "train/trainer.h"

namespace inlay::cli {
namespace {

constexpr const char* kHelp =
    "/adapter NAME   answers from here on are that adapter's; without a name, the base's\n"
    "/base           what the base says to the last question\n"
    "/reset          forgets the conversation\n"
    "/quit           ends it\n";

struct ChatOptions {
  Common common;
  std::string model, system, quantise = "none", compute = "auto";
  std::vector<std::string> adapters;
  GenerationOptions generation;
};

void show(std::string_view piece) {
  fmt::print("{}", piece);
  std::fflush(stdout);
}

// What follows the word, without blanks before it.
std::string after_word(const std::string& line, std::string_view word) {
  std::size_t first = line.find_first_not_of(' ', word.size());
  return first == std::string::npos ? "" : line.substr(first);
}

bool begins_with_word(const std::string& line, std::string_view word) {
  return line.starts_with(word) && (line.size() == word.size() || line[word.size()] == ' ');
}

// False where the conversation ends.
bool take_line(ChatSession& chat, const std::string& line) {
  if (line == "/quit" || line == "/exit") return false;
  if (line == "/reset") {
    chat.reset();
  } else if (line == "/help") {
    fmt::print("{}", kHelp);
  } else if (line == "/base") {
    chat.base_answer(show);
    fmt::print("\n");
  } else if (begins_with_word(line, "/adapter")) {
    chat.use(after_word(line, "/adapter"));
  } else if (line.starts_with("/")) {
    fail(ErrorKind::kUsage, "there is no command {}; there are\n{}", line, kHelp);
  } else if (!line.empty()) {
    chat.answer(line, show);
    fmt::print("\n");
  }
  return true;
}

void run_chat(const ChatOptions& options) {
  start_threads(options.common.threads);
  std::filesystem::path folder = resolve_model(options.model);
  auto model = load_model(
      folder, {.language_model = true, .quantise = quantisation_named(options.quantise)});
  require(model->has_language_model(), ErrorKind::kInput,
          "{}: the base is no language model; use a decoder", folder.string());
  Tokenizer tokenizer = load_base_tokenizer(folder);
  GenerationOptions generation = options.generation;
  generation.eos_token_ids = ending_tokens(folder, tokenizer);
  ChatSession chat(*model, tokenizer, require_chat_template(folder), generation,
                   resolve_compute(options.compute));
  for (const std::string& item : options.adapters) {
    auto [name, place] = named_folder(item);
    chat.add(name, load_adapter(place, model->facts()).adapter);
    if (chat.used().empty()) chat.use(name);
  }
  chat.set_system(options.system);
  log_info("/help shows the commands; the adapter is {}",
           chat.used().empty() ? "none" : chat.used());
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      if (!take_line(chat, line)) break;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInterrupted) throw;
      fmt::print(stderr, "{}\n", error.what());
    }
  }
}

}  // namespace

void add_chat(CLI::App& app) {
  auto options = std::make_shared<ChatOptions>();
  CLI::App* command =
      app.add_subcommand("chat", "Talk with a language model, with adapters that can be changed");
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder")
      ->required();
  command
      ->add_option("--adapters", options->adapters,
                   "name=FOLDER, with commas between several; the first one answers first")
      ->delimiter(',');
  command->add_option("--system", options->system, "what the system says first");
  add_flags(*command, [options](FieldVisitor& visit) { options->generation.fields(visit); });
  add_quantise_flag(*command, options->quantise);
  command->add_option("--compute", options->compute, "auto, f32 or bf16")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  add_common(*command, options->common);
  command->footer(
      examples({"inlay chat --model FOLDER",
                "inlay chat --model FOLDER --adapters pirate=runs/p/adapter,poet=runs/q/adapter",
                "echo 'Who are you?' | inlay chat --model FOLDER --do-sample --seed 2"}));
  command->callback([options] { run_chat(*options); });
}

}  // namespace inlay::cli
