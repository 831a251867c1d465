// inlay plan: what training on a base takes, by memory mode, format of the base and tokens at a
// time, and what of it fits.
#include <fmt/core.h>

#include "base/text_table.h"
#include "base/units.h"
#include "check/memory_survey.h"
#include "cli/command.h"
#include "tensor/threads.h"
#include "train/trainer.h"

namespace inlay::cli {
namespace {

struct PlanOptions {
  Common common;
  std::string model, method = "lora", compute = "auto";
  int64_t memory_limit_mb = 0;
};

void print_survey(const MemorySurvey& survey) {
  std::vector<std::string> header{"base", "memory"};
  for (int64_t tokens : survey.tokens) header.push_back(format_count(tokens) + " tokens");
  TextTable table(header);
  bool all_fit = true;
  for (const SurveyRow& row : survey.rows) {
    std::vector<std::string> cells{row.base, std::string(memory_mode_name(row.mode))};
    for (uint64_t bytes : row.bytes) {
      bool fits = bytes <= survey.limit;
      cells.push_back(fits ? format_bytes(bytes) : "–");
      all_fit = all_fit && fits;
    }
    table.add_row(std::move(cells));
  }
  fmt::print("{} with {} trained numbers: memory of the whole run, by tokens at a time\n",
             survey.task, format_count(survey.trained));
  fmt::print("{}", table.text());
  fmt::print("{} {}\n", all_fit ? "all of it fits into" : "–: more than",
             format_bytes(survey.limit));
}

void run_plan(const PlanOptions& options) {
  start_threads(options.common.threads);
  MemorySurvey survey =
      survey_memory(resolve_model(options.model), options.method, resolve_compute(options.compute),
                    static_cast<uint64_t>(options.memory_limit_mb) << 20);
  if (options.common.json) {
    print_json(survey.to_json());
  } else {
    print_survey(survey);
  }
}

}  // namespace

void add_plan(CLI::App& app) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand(
      "plan", "What training on a model takes of memory in each mode, and what fits");
  command->add_option("model", options->model, "a pulled name or a Hugging Face model folder")
      ->required();
  command->add_option("--method", options->method, "what is trained, as name[field=value,...]")
      ->capture_default_str();
  command
      ->add_option("--compute", options->compute,
                   "type of matrix products; auto: bf16 where the CPU has it")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}))
      ->capture_default_str();
  command
      ->add_option("--memory-limit-mb", options->memory_limit_mb,
                   "memory that a run may take, in MB; 0: what the machine has free")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30))
      ->capture_default_str();
  add_common(*command, options->common);
  command->footer(
      "What each mode does: fast nothing, unpacked leaves the base's weights as the files have "
      "them, recompute\ncomputes layers again in the backward pass, low does both. train --memory "
      "takes the first that fits.\n" +
      examples({"inlay plan all-minilm-l6-v2", "inlay plan FOLDER --method 'lora[r=16]'",
                "inlay plan FOLDER --memory-limit-mb 2000 --json"}));
  command->callback([options] { run_plan(*options); });
}

}  // namespace inlay::cli
