// inlay pull: brings a model or a data set into the home folder.
#include "hub/pull.h"

#include <fmt/core.h>

#include "base/progress.h"
#include "base/units.h"
#include "cli/command.h"
#include "hub/catalogue.h"

namespace inlay::cli {
namespace {

struct PullFlags {
  Common common;
  std::string name;
};

std::string catalogue_text() {
  std::string text = "In the catalogue:";
  for (const CatalogueEntry& entry : catalogue())
    text += fmt::format("\n  {:22} {}", entry.name, entry.title);
  return text;
}

void run_pull(const PullFlags& options) {
  PullOptions pulling = pull_options_from_environment();
  ProgressLine line;
  pulling.progress = [&](const std::string& file, uint64_t done, uint64_t total) {
    line.update(total > 0
                    ? fmt::format("{}  {} of {}", file, format_bytes(done), format_bytes(total))
                    : fmt::format("{}  {}", file, format_bytes(done)));
  };
  std::filesystem::path folder = pull(options.name, pulling);
  line.finish();
  if (options.common.json) {
    print_json({{"name", options.name}, {"path", folder.string()}});
  } else {
    fmt::print("{}\n", folder.string());
  }
}

}  // namespace

void add_pull(CLI::App& app) {
  auto options = std::make_shared<PullFlags>();
  CLI::App* command =
      app.add_subcommand("pull", "Bring a model or a data set into the home folder");
  command
      ->add_option("name", options->name,
                   "a name of the catalogue, or owner/name on the Hugging Face Hub")
      ->required();
  add_common(*command, options->common);
  command->footer(catalogue_text() + "\n" +
                  examples({"inlay pull all-minilm-l6-v2", "inlay pull sentiment-sentences",
                            "HF_TOKEN=... inlay pull FacebookAI/roberta-base"}));
  command->callback([options] { run_pull(*options); });
}

}  // namespace inlay::cli
