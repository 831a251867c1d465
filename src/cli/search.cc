// inlay search: the texts of a table, or the pictures of a folder, that are most like others, by
// the embeddings of a base or of an adapter.
#include <fmt/core.h>

#include "base/log.h"
#include "cli/asked_learner.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "data/input.h"
#include "eval/embedding_search.h"
#include "models/family.h"
#include "tensor/threads.h"
#include "train/trainer.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

constexpr const char* kVerification = "image-verification";
constexpr const char* kOfImages = "image-embedding";
constexpr const char* kOfTexts = "sentence-embedding";

struct SearchOptions {
  Common common;
  AskedLearner asked;
  std::string data;
  std::vector<std::string> queries;
  std::size_t top = 5;
};

void check_flags(const SearchOptions& options, const CLI::App& command) {
  bool of_run = !options.asked.run.empty();
  if (of_run) refuse_beside(command, "run", {"model", "adapter"});
  require(of_run || !options.asked.model.empty(), ErrorKind::kUsage,
          "give either --run, or --model with --adapter or without");
  for (const std::string& query : options.queries) {
    require(!query.empty(), ErrorKind::kUsage,
            "a --query is empty; expected a text, or a picture's path");
  }
  const std::string& task = options.asked.task;
  require(task.empty() || task == kVerification || task == kOfImages || task == kOfTexts,
          ErrorKind::kUsage, "task {} gives no embeddings; expected {}, {} or {}", task, kOfTexts,
          kOfImages, kVerification);
}

// What embeds where nobody says it: a head that was trained for that, else the base.
std::string task_of(const AskedLearner& asked) {
  if (!asked.task.empty()) return asked.task;
  std::string model = asked.model, trained;
  if (!asked.run.empty()) {
    TrainConfig config = read_run_config(RunFolder::open(asked.run).path());
    model = config.model;
    trained = config.task;
  } else if (!asked.adapter.empty()) {
    trained = recorded_label(asked.adapter).task;
  }
  if (trained == kVerification) return trained;
  return reads_images(resolve_model(model)) ? kOfImages : kOfTexts;
}

Dataset read_alone(const std::vector<std::string>& paths, const OpenedAsked& opened) {
  ColumnNames columns = opened.columns;
  columns.label.clear();
  return load_dataset(
      {.from = {.paths = paths},
       .columns = columns,
       .kind = of_images(opened.task->data) ? TaskKind::kImageLabel : TaskKind::kUnlabelled,
       .targets = false});
}

Dataset read_items(const SearchOptions& options, const OpenedAsked& opened) {
  Dataset items = read_alone({resolve_data(options.data)}, opened);
  log_info("{}: {} items; {}", input_name(options.data), items.examples.size(),
           items.columns.describe());
  return items;
}

// Paths of pictures, or the texts themselves.
Dataset read_queries(const std::vector<std::string>& queries, const OpenedAsked& opened) {
  if (of_images(opened.task->data)) {
    std::vector<std::string> paths;
    paths.reserve(queries.size());
    for (const std::string& query : queries) paths.push_back(resolve_data(query));
    return read_alone(paths, opened);
  }
  Dataset data;
  data.kind = TaskKind::kUnlabelled;
  data.files.push_back({.path = "--query"});
  data.examples.reserve(queries.size());
  for (const std::string& query : queries) {
    Example& example = data.examples.emplace_back();
    example.text = query;
    example.line = example.row = data.examples.size();
  }
  return data;
}

// (examples, width)
std::vector<float> embedded(Context& context, const OpenedAsked& opened, const Dataset& data) {
  std::vector<EncodedExample> encoded = encode_asked(opened, data);
  std::vector<const EncodedExample*> all;
  all.reserve(encoded.size());
  for (const EncodedExample& example : encoded) all.push_back(&example);
  std::vector<ModelOutput> outputs =
      predict(context, opened.learner, all, {.kind = Occasion::Kind::kAnswer});
  std::vector<float> values;
  values.reserve(outputs.empty() ? 0 : outputs.size() * outputs[0].values.size());
  for (const ModelOutput& output : outputs)
    values.insert(values.end(), output.values.begin(), output.values.end());
  return values;
}

// The place alone says what a picture is.
Json to_json(const Neighbour& neighbour, const Dataset& items) {
  Json json{{"item", neighbour.item},
            {"similarity", neighbour.similarity},
            {"place", items.place(neighbour.item)}};
  if (items.images == nullptr) json["text"] = items.examples[neighbour.item].text;
  return json;
}

void print_people(const std::string& query, const Json& nearest) {
  fmt::print("{}\n", query);
  for (const Json& neighbour : nearest) {
    fmt::print("  {:7.4f}  {}", neighbour.at("similarity").get<double>(),
               neighbour.at("place").get<std::string>());
    if (neighbour.contains("text")) fmt::print("  {}", neighbour.at("text").get<std::string>());
    fmt::print("\n");
  }
}

void run_search(SearchOptions options, const CLI::App& command) {
  check_flags(options, command);
  options.asked.task = task_of(options.asked);
  start_threads(options.common.threads);
  OpenedAsked opened = open_asked(options.asked);
  Dataset queries = read_queries(options.queries, opened);
  Dataset items = read_items(options, opened);
  Context context(resolve_compute(opened.compute));
  activate(context, opened.learner);
  std::vector<float> of_items = embedded(context, opened, items);
  std::vector<float> of_queries = embedded(context, opened, queries);
  std::size_t width = of_items.size() / items.examples.size();
  auto found = nearest_items({of_items, width}, {of_queries, width}, options.top);
  Json answers = Json::array();
  for (std::size_t q = 0; q < found.size(); ++q) {
    Json nearest = Json::array();
    for (const Neighbour& neighbour : found[q]) nearest.push_back(to_json(neighbour, items));
    const std::string& query = queries.examples[q].text;
    if (!options.common.json) print_people(query, nearest);
    answers.push_back({{"query", query}, {"nearest", nearest}});
  }
  if (options.common.json) print_json({{"n", items.examples.size()}, {"queries", answers}});
}

}  // namespace

void add_search(CLI::App& app) {
  auto options = std::make_shared<SearchOptions>();
  CLI::App* command = app.add_subcommand(
      "search", "Find the texts or pictures that are most like others, by their embeddings");
  add_learner_flags(*command, options->asked,
                    "what embeds; empty: image-verification where the adapter was trained for it, "
                    "else sentence-embedding or image-embedding, as the base reads");
  add_pooling_flag(*command, options->asked);
  command
      ->add_option("--data", options->data,
                   "what is searched: a table or a .txt file with a text per line; of pictures a "
                   "folder, a table or a file; or the name of pulled data")
      ->required();
  command
      ->add_option("--query", options->queries,
                   "a text, or a picture's path; can be given several times")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--top", options->top, "how many items are shown for each query")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}));
  add_column_flags(*command, options->asked.columns, TableUse::kTextsOnly);
  add_common(*command, options->common);
  command->footer(examples(
      {"inlay search --model all-minilm-l6-v2 --data reviews.csv --query 'too long and too loud'",
       "inlay search --model all-minilm-l6-v2 --adapter runs/a/adapter --data notes.txt --query "
       "'what to cook' --top 10",
       "inlay search --model mobilenet-v2 --data pictures/ --query one.jpg --query another.jpg",
       "inlay search --run runs/faces --data pictures/ --query one.jpg --json"}));
  command->callback([options, command] { run_search(*options, *command); });
}

}  // namespace inlay::cli
