// inlay combine: one adapter from several by arithmetic on their updates, with its distance from
// the exact weighted sum.
#include "adapters/arithmetic/combine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "adapters/adapter_record.h"
#include "adapters/arithmetic/combine_heads.h"
#include "base/text_table.h"
#include "cli/command.h"
#include "eval/opened_learner.h"
#include "tensor/threads.h"

namespace inlay::cli {
namespace {

struct CombineOptions {
  Common common;
  std::string model, out, head = "auto", sign = "total";
  std::vector<std::string> adapters;
  CombineSettings settings;
};

struct Named {
  std::string path;
  double weight = 1;
};

// "runs/a/adapter:0.5"; without a number behind the last colon the weight is 1.
Named parse_weighted(const std::string& text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || std::filesystem::exists(text)) return {text};
  double weight = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data() + colon + 1, end, weight);
  require(error == std::errc() && stop == end && std::isfinite(weight), ErrorKind::kUsage,
          "\"{}\": \"{}\" is no weight; expected FOLDER or FOLDER:WEIGHT, such as "
          "runs/a/adapter:0.5",
          text, text.substr(colon + 1));
  return {text.substr(0, colon), weight};
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json report_json(const CombineOptions& options, const Combined& combined, const ChosenHead& head) {
  Json sites = Json::array();
  for (const SiteError& site : combined.sites) {
    sites.push_back({{"site", site.site->name},
                     {"rank", site.rank},
                     {"norm", site.exact},
                     {"relative_error", number_or_null(site.relative())}});
  }
  return {{"out", options.out},
          {"how", options.settings.how},
          {"relative_error", number_or_null(combined.relative_error())},
          {"head", head.head != nullptr},
          {"parameters", combined.adapter->parameter_count()},
          {"sites", sites}};
}

void print_report(const CombineOptions& options, const Combined& combined, const ChosenHead& head) {
  const auto worst = std::max_element(
      combined.sites.begin(), combined.sites.end(),
      [](const SiteError& a, const SiteError& b) { return a.relative() < b.relative(); });
  fmt::print("{}: {} sites, {} parameters, {}\n", options.out, combined.sites.size(),
             combined.adapter->parameter_count(),
             head.head != nullptr ? "with a head" : "without a head");
  fmt::print("relative error against the exact weighted sum: {:.3g} over all, worst {:.3g} at {}\n",
             combined.relative_error(), worst->relative(), worst->site->name);
}

void run_combine(const CombineOptions& options) {
  start_threads(options.common.threads);
  std::error_code error;
  require(!std::filesystem::exists(options.out, error), ErrorKind::kUsage,
          "{} is there already; name a new folder for the adapter", options.out);
  std::vector<Named> named;
  named.reserve(options.adapters.size());
  for (const std::string& text : options.adapters) named.push_back(parse_weighted(text));
  auto model = load_base_for(resolve_model(options.model), named.front().path, "");
  std::vector<LoadedAdapter> loaded;
  std::vector<WeightedAdapter> inputs;
  std::vector<HeadSource> heads;
  loaded.reserve(named.size());
  for (const Named& input : named) {
    loaded.push_back(load_adapter(input.path, model->facts()));
    require(loaded.back().adapter != nullptr, ErrorKind::kUsage,
            "{} holds a head alone, and no adapter to combine", input.path);
    inputs.push_back({loaded.back().adapter.get(), input.weight});
    heads.push_back({input.path, &loaded.back()});
  }
  ChosenHead head = choose_head(heads, options.head, model->facts());
  CombineSettings settings = options.settings;
  settings.vote = options.sign == "total" ? SignVote::kTotal : SignVote::kFrequency;
  Combined combined = combine_adapters(inputs, settings, model->facts(), folder_name(options.out));
  save_adapter(options.out, {combined.adapter.get(), head.head.get(), head.label}, model->facts());
  if (options.common.json) return print_json(report_json(options, combined, head));
  print_report(options, combined, head);
}

}  // namespace

void add_combine(CLI::App& app) {
  auto options = std::make_shared<CombineOptions>();
  CLI::App* command =
      app.add_subcommand("combine", "Make one LoRA adapter from several, by a weighted sum");
  command->add_option("--model", options->model, "the base of all of them")->required();
  command->add_option("adapters", options->adapters, "FOLDER or FOLDER:WEIGHT, each; weight 1")
      ->required();
  command->add_option("--out", options->out, "the new adapter's folder; must not be there")
      ->required();
  command->add_option("--how", options->settings.how,
                      fmt::format("the rule: {}", fmt::join(combine_rules(), ", ")));
  command
      ->add_option("--rank", options->settings.rank,
                   "of what the svd rules keep; without it the largest of the adapters")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20));
  command->add_option("--density", options->settings.density,
                      "share of elements that ties, dare and magnitude_prune keep");
  command->add_option("--sign", options->sign, "how ties elects: sign of the sum, or of most")
      ->check(CLI::IsMember({"total", "frequency"}));
  command->add_option("--seed", options->settings.seed, "of what dare drops");
  command->add_option("--head", options->head,
                      "auto, none, average, or the adapter (as named) whose head to take");
  add_common(*command, options->common);
  command->footer(examples(
      {"inlay combine --model all-minilm-l6-v2 runs/a/adapter:0.5 runs/b/adapter:0.5 --head "
       "average --out both",
       "inlay combine --model all-minilm-l6-v2 runs/a/adapter runs/b/adapter --how svd --rank 16 "
       "--head none --out both",
       "inlay combine --model all-minilm-l6-v2 runs/a/adapter --how negate --out unlearned"}));
  command->callback([options] { run_combine(*options); });
}

}  // namespace inlay::cli
