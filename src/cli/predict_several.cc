#include "cli/predict_several.h"

#include <algorithm>

#include "adapters/composition_tree.h"
#include "base/log.h"
#include "cli/command.h"
#include "eval/answer_pair.h"
#include "eval/image_examples.h"
#include "eval/task_sequences.h"

namespace inlay::cli {
namespace {

constexpr Occasion kAnswer{.kind = Occasion::Kind::kAnswer};

Json text_line(const Example& source) {
  Json line = Json::object();
  if (!source.text.empty()) line["text"] = source.text;
  if (!source.text_pair.empty()) line["text_pair"] = source.text_pair;
  return line;
}

// Of each sequence, of which a row may have any number.
std::vector<std::size_t> learners_of_examples(const OpenedLearners& opened, const Dataset& data,
                                              ExampleSpan examples) {
  std::vector<std::size_t> of_rows = learners_of_rows(data, opened.learners);
  std::vector<std::size_t> choice;
  choice.reserve(examples.size());
  for (const EncodedExample* example : examples) choice.push_back(of_rows[example->index]);
  return choice;
}

std::vector<Json> lines_of_rows(Context& context, const OpenedLearners& opened, const Dataset& data,
                                ExampleSpan examples) {
  std::vector<std::size_t> choice = learners_of_examples(opened, data, examples);
  std::vector<Json> lines;
  lines.reserve(examples.size());
  for (const ModelOutput& output :
       predict_by_row(context, opened.learners, choice, examples, kAnswer)) {
    const NamedLearner& named = opened.learners[choice[lines.size()]];
    Json line = named.learner.task->prediction(output);
    line.update(text_line(*output.example->source));
    line["adapter"] = named.name;
    lines.push_back(std::move(line));
  }
  return lines;
}

void log_work(const SharedWork& work, std::size_t adapters) {
  double shared = 1 - static_cast<double>(work.computed) / static_cast<double>(work.alone);
  log_info("{} adapters in one pass: {} rows through a layer instead of {}, {:.1f} % shared",
           adapters, work.computed, work.alone, 100 * shared);
}

std::vector<Json> lines_of_all(Context& context, const OpenedLearners& opened, bool parallel,
                               ExampleSpan examples) {
  SharedWork work;
  auto outputs = predict_parallel(context, opened.learners, examples, kAnswer, work);
  if (parallel && work.alone > 0) log_work(work, opened.learners.size());
  std::vector<Json> lines;
  lines.reserve(examples.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    Json line = text_line(*examples[i]->source);
    for (std::size_t l = 0; l < outputs.size(); ++l) {
      const NamedLearner& named = opened.learners[l];
      Json answer = named.learner.task->prediction(outputs[l][i]);
      if (parallel) {
        line[named.name] = std::move(answer);
      } else {
        line.update(answer);
      }
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// The examples as the base reads them, with what it alone gives where a task refers to that.
std::vector<EncodedExample> encode_data(Context& context, const OpenedLearners& opened,
                                        const Dataset& data, int64_t max_length) {
  const Model& model = *opened.learners[0].learner.model;
  const BaseFacts& facts = model.facts();
  if (of_images(data.kind)) return encode_images(data, preprocessor_for(data.kind, facts, 0));
  int64_t longest =
      longest_input(*opened.tokenizer, facts, max_length, positions_taken(opened.learners));
  std::vector<EncodedExample> encoded =
      encode_for_task(*opened.learners[0].task, data, *opened.tokenizer, facts, longest);
  bool reference = std::any_of(opened.learners.begin(), opened.learners.end(),
                               [](const NamedLearner& named) { return named.task->reference; });
  if (reference) add_reference(model, context.compute, encoded);
  return encoded;
}

}  // namespace

void add_several_flags(CLI::App& command, SeveralOptions& options) {
  command
      .add_option("--adapters", options.adapters,
                  "several adapters of the model, as name=FOLDER,name=FOLDER; with --compose or "
                  "--adapter-column")
      ->delimiter(',');
  command.add_option("--compose", options.compose,
                     "how --adapters are put together, such as average(a, b); parallel(a, b) asks "
                     "each of them about every text, in one pass");
  command.add_option("--adapter-column", options.adapter_column,
                     "the column that names which of --adapters answers a row; an empty cell or "
                     "base is the base alone, for tasks that need no head");
}

void check_several(const SeveralOptions& options, const CLI::App& command) {
  refuse_beside(command, "adapters", {"run", "adapter"});
  require(!options.adapters.empty(), ErrorKind::kUsage,
          "{} needs adapters; use --adapters name=FOLDER,name=FOLDER",
          options.compose.empty() ? "--adapter-column" : "--compose");
  require(options.compose.empty() != options.adapter_column.empty(), ErrorKind::kUsage,
          "give either --compose or --adapter-column with --adapters");
  bool reserved = false;
  for (const std::string& item : options.adapters) {
    std::string name = named_folder(item).first;
    reserved = reserved || name == "text" || name == "text_pair";
  }
  require(!reserved, ErrorKind::kUsage,
          "adapters: text and text_pair are columns of the answers; give the adapter another name");
}

std::vector<Json> several_predictions(Context& context, const OpenedLearners& opened,
                                      const SeveralOptions& options, const Dataset& data,
                                      int64_t max_length) {
  std::vector<EncodedExample> encoded = encode_data(context, opened, data, max_length);
  std::vector<const EncodedExample*> all;
  all.reserve(encoded.size());
  for (const EncodedExample& example : encoded) all.push_back(&example);
  if (!options.adapter_column.empty()) return lines_of_rows(context, opened, data, all);
  bool parallel = parse_composition(options.compose).what == Composing::kParallel;
  return lines_of_all(context, opened, parallel, all);
}

}  // namespace inlay::cli
