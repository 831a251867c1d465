// Trains a LoRA adapter on labelled sentences and labels new ones, through the library.
//
//   sentiment MODEL_FOLDER DATA OUT        (inlay pull prints the folders)
#include <fmt/core.h>

#include <exception>

#include "adapters/storage.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/training_run.h"

int main(int argc, char** argv) try {
  using namespace inlay;  // NOLINT(google-build-using-namespace): an example
  if (argc != 4) return fmt::print(stderr, "usage: sentiment MODEL_FOLDER DATA OUT\n"), 2;
  start_threads(0);

  TrainConfig config;
  config.method = "lora[r=8,alpha=16]";
  config.epochs = 1;
  RunObserver silent;
  Json summary = run_training(config, {argv[1], {argv[2]}}, argv[3], RunStart::kNew, silent);
  fmt::print("test accuracy {:.3f}\n", summary.at("metrics").at("accuracy").get<double>());

  auto model = load_model(argv[1]);
  Tokenizer tokenizer = Tokenizer::load(argv[1]);
  Learner learner =
      learner_from(model, load_adapter(summary.at("adapter").get<std::string>(), model->facts()));

  Dataset fresh;
  fresh.examples = {{.text = "A delight from the first minute to the last."},
                    {.text = "It broke after two days."}};
  auto encoded = encode_examples(fresh, tokenizer, model->facts(), model->facts().max_tokens);
  Context context(DType::kF32);
  activate(context, learner);
  for (const ModelOutput& output :
       predict(context, learner, std::vector<const EncodedExample*>{&encoded[0], &encoded[1]})) {
    fmt::print("{}\n", learner.task->prediction(output).dump());
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "sentiment: {}\n", error.what());
  return 1;
}
