// inlay inspect: the sites of a model, or what an adapter holds.
#include <fmt/core.h>

#include "base/text_table.h"
#include "base/units.h"
#include "cli/adapter_view.h"
#include "cli/command.h"
#include "eval/opened_learner.h"

namespace inlay::cli {
namespace {

struct InspectOptions {
  Common common;
  std::string model, adapter, with;
};

Json site_json(const Site& site) {
  Json json{{"name", site.name},
            {"kind", site_kind_name(site.kind)},
            {"role", site_role_name(site.role)},
            {"layer", site.layer},
            {"in", site.in},
            {"out", site.out}};
  int64_t weight = site.quantised != nullptr ? site.in * site.out
                   : site.weight.defined()   ? site.weight.count()
                                             : 0;
  json["parameters"] = weight + (site.bias.defined() ? site.bias.count() : 0);
  return json;
}

Json model_json(const Model& model) {
  const BaseFacts& facts = model.facts();
  Json sites = Json::array();
  for (const Site* site : facts.sites) sites.push_back(site_json(*site));
  return {{"model_type", facts.model_type}, {"folder", facts.folder.string()},
          {"root_hash", facts.root_hash},   {"layers", facts.layers},
          {"hidden", facts.hidden},         {"vocabulary", facts.vocabulary},
          {"max_tokens", facts.max_tokens}, {"has_pooler", facts.has_pooler},
          {"unused", facts.unused},         {"sites", sites}};
}

void print_model(const Json& json) {
  fmt::print("{}  {} layers of {}, vocabulary {}, up to {} tokens\nroot hash {}\n\n",
             json.at("model_type").get<std::string>(), json.at("layers").get<int64_t>(),
             json.at("hidden").get<int64_t>(), format_count(json.at("vocabulary").get<int64_t>()),
             json.at("max_tokens").get<int64_t>(), json.at("root_hash").get<std::string>());
  TextTable table({"site", "kind", "role", "in", "out", "parameters"});
  for (const Json& site : json.at("sites")) {
    table.add_row({site.at("name"), site.at("kind"), site.at("role"),
                   format_count(site.at("in").get<int64_t>()),
                   format_count(site.at("out").get<int64_t>()),
                   format_count(site.at("parameters").get<int64_t>())});
  }
  fmt::print("{}", table.text());
}

// An adapter's folder in the place of a model's.
void check_is_model(const std::filesystem::path& folder) {
  bool adapter = std::filesystem::exists(folder / "adapter_config.json") &&
                 !std::filesystem::exists(folder / "config.json");
  require(!adapter, ErrorKind::kUsage,
          "{} holds an adapter; name its base too: inlay inspect --model BASE --adapter {}",
          folder.string(), folder.string());
}

void run_inspect(const InspectOptions& options) {
  std::filesystem::path folder = resolve_model(options.model);
  check_is_model(folder);
  auto model = load_base_for(folder, options.adapter, "");
  bool of_adapter = !options.adapter.empty();
  require(of_adapter || options.with.empty(), ErrorKind::kUsage,
          "--with compares an adapter with another; give --adapter too");
  Json json = of_adapter ? adapter_view(options.adapter, options.with, *model) : model_json(*model);
  if (options.common.json) return print_json(json);
  if (of_adapter) {
    print_adapter_view(json);
  } else {
    print_model(json);
  }
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show a model's sites, or an adapter's contents");
  command
      ->add_option("--model,model", options->model, "a pulled name or a Hugging Face model folder")
      ->required();
  command->add_option("--adapter", options->adapter,
                      "an adapter's folder; it is loaded onto the model");
  command->add_option("--with", options->with,
                      "another adapter of the same base: how alike the two are");
  add_common(*command, options->common);
  command->footer(
      examples({"inlay inspect all-minilm-l6-v2",
                "inlay inspect --model all-minilm-l6-v2 --adapter runs/a/adapter --json",
                "inlay inspect --model all-minilm-l6-v2 --adapter runs/a/adapter --with "
                "runs/b/adapter"}));
  command->callback([options] { run_inspect(*options); });
}

}  // namespace inlay::cli
