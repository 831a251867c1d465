#include "cli/asked_learner.h"

#include "cli/command.h"
#include "data/chat/language_dataset.h"
#include "eval/answer_pair.h"
#include "eval/image_examples.h"
#include "eval/task_sequences.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

OpenedAsked open_run(const AskedLearner& asked, LearnerSource source) {
  RunFolder run = RunFolder::open(asked.run);
  TrainConfig config = read_run_config(run.path());
  bool own_task = asked.task.empty() || asked.task == config.task;
  if (own_task) source.options = task_options(config);
  source.model = resolve_model(config.model);
  source.adapter = config.folds > 0 ? run.path() / "fold-1" / "adapter" : run.adapter();
  if (asked.quantise.empty()) source.quantise = config.quantise;
  OpenedAsked opened{open_learner(source)};
  opened.compute = config.compute;
  opened.max_length = config.max_length;
  opened.image_size = config.image_size;
  if (!read_by_format(opened.task->data)) {
    opened.columns = {.text = config.text_column,
                      .text_pair = config.text_pair_column,
                      .label = config.label_column,
                      .further = config.further_columns};
  }
  if (own_task) {
    opened.format = config.data_format;
    opened.reading = language_reading(config);
    opened.reference = reference_reading(config);
  }
  return opened;
}

OpenedAsked open_given(const AskedLearner& asked, LearnerSource source) {
  source.model = resolve_model(asked.model);
  source.adapter = asked.adapter;
  return {open_learner(source)};
}

}  // namespace

void add_quantise_flag(CLI::App& command, std::string& quantise) {
  command.add_option("--quantise", quantise,
                     "what the base's linear layers are held in: none (as its files have them), "
                     "int8, nf4, q8_0 or q4_0");
}

void add_pooling_flag(CLI::App& command, AskedLearner& asked) {
  command
      .add_option("--pooling", asked.pooling,
                  "of sentence-embedding and image-embedding: mean, first or pooler; auto: mean")
      ->check(CLI::IsMember({"auto", "mean", "first", "pooler"}));
}

void add_learner_flags(CLI::App& command, AskedLearner& asked, const std::string& task_help) {
  command.add_option("--run", asked.run, "a run's folder");
  command.add_option("--model", asked.model, "a pulled name or a Hugging Face model folder");
  command.add_option("--adapter", asked.adapter, "an adapter's folder");
  command.add_option("--task", asked.task, task_help);
  add_quantise_flag(command, asked.quantise);
  command.add_option("--compute", asked.compute, "auto, f32 or bf16; the run's own with --run")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  command
      .add_option("--max-length", asked.max_length,
                  "tokens a text is cut to; the run's own with --run")
      ->check(CLI::Range(int64_t{1}, kMaxLength));
}

OpenedAsked open_asked(const AskedLearner& asked) {
  LearnerSource source{.task = asked.task, .pooling = asked.pooling};
  if (!asked.quantise.empty()) source.quantise = asked.quantise;
  OpenedAsked opened = asked.run.empty() ? open_given(asked, source) : open_run(asked, source);
  const ColumnNames& named = asked.columns;
  if (!named.text.empty()) opened.columns = named;
  if (!named.text_pair.empty()) opened.columns.text_pair = named.text_pair;
  if (!named.label.empty()) opened.columns.label = named.label;
  if (!named.further.empty()) opened.columns.further = named.further;
  if (!asked.compute.empty()) opened.compute = asked.compute;
  if (asked.max_length > 0) opened.max_length = asked.max_length;
  return opened;
}

int64_t longest_asked(const OpenedAsked& opened) {
  return longest_input(*opened.tokenizer, opened.learner.model->facts(), opened.max_length,
                       positions_taken(opened.learner));
}

std::vector<EncodedExample> encode_asked(const OpenedAsked& opened, const Dataset& data) {
  const Model& model = *opened.learner.model;
  if (of_images(data.kind))
    return encode_images(data, preprocessor_for(data.kind, model.facts(), opened.image_size));
  const Tokenizer& tokenizer = *opened.tokenizer;
  int64_t longest = longest_asked(opened);
  if (data.kind == TaskKind::kLanguage)
    return encode_examples(data, tokenizer, model.facts(), longest, opened.reading);
  std::vector<EncodedExample> encoded =
      encode_for_task(*opened.task, data, tokenizer, model.facts(), longest);
  if (opened.task->reference)
    add_reference(model, resolve_compute(opened.compute), encoded, opened.reference);
  return encoded;
}

}  // namespace inlay::cli
