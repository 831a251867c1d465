// Asks two trained adapters of one base about the same sentences in one pass, then each about its
// own, through the library.
//
//   two_adapters MODEL_FOLDER ADAPTER_A ADAPTER_B        (inlay train prints an adapter's folder)
#include <fmt/core.h>

#include <exception>

#include "eval/opened_learners.h"
#include "tensor/threads.h"

int main(int argc, char** argv) try {
  using namespace inlay;  // NOLINT(google-build-using-namespace): an example
  if (argc != 4) return fmt::print(stderr, "usage: two_adapters MODEL ADAPTER_A ADAPTER_B\n"), 2;
  start_threads(0);

  OpenedLearners opened =
      open_learners({.model = argv[1],
                     .adapters = {std::string("a=") + argv[2], std::string("b=") + argv[3]},
                     .compose = "parallel(a, drop(b, 0))"});
  const BaseFacts& facts = opened.learners[0].learner.model->facts();
  Dataset fresh;
  fresh.examples = {{.text = "A delight from the first minute to the last."},
                    {.text = "It broke after two days."}};
  auto encoded =
      encode_examples(fresh, *opened.tokenizer, facts,
                      longest_input(*opened.tokenizer, facts, 0, positions_taken(opened.learners)));
  std::vector<const EncodedExample*> examples{&encoded[0], &encoded[1]};

  Context context(DType::kF32);
  SharedWork work;
  auto outputs = predict_parallel(context, opened.learners, examples, {}, work);
  for (std::size_t l = 0; l < outputs.size(); ++l) {
    const NamedLearner& named = opened.learners[l];
    for (const ModelOutput& output : outputs[l])
      fmt::print("{}: {}\n", named.name, named.learner.task->prediction(output).dump());
  }
  fmt::print("{} rows went through a layer; apart, {}\n", work.computed, work.alone);

  // The first sentence is for b, the second for a.
  std::vector<std::size_t> choice{1, 0};
  std::vector<ModelOutput> own = predict_by_row(context, opened.learners, choice, examples, {});
  for (std::size_t i = 0; i < own.size(); ++i) {
    const NamedLearner& named = opened.learners[choice[i]];
    fmt::print("{}: {}\n", named.name, named.learner.task->prediction(own[i]).dump());
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "two_adapters: {}\n", error.what());
  return 1;
}
