// A training step of LoRA on language models of real shapes, with weights that nobody trained:
// tokens a second, memory at its peak, share of the matrix products' limit. Prints one JSON line.
#include "../bench_program.h"
#include "../random_ids.h"
#include "../training_step.h"
#include "base/process.h"
#include "eval/learner.h"
#include "models/new_weights.h"
#include "nn/memory_mode.h"
#include "tensor/onednn/peak.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

// Configurations as Hugging Face's files of these models have them.
constexpr const char* kSmolLm = R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"],
  "vocab_size": 49152, "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9,
  "num_key_value_heads": 3, "intermediate_size": 1536, "max_position_embeddings": 2048,
  "rms_norm_eps": 1e-5, "tie_word_embeddings": true})";
constexpr const char* kLlama124 = R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"],
  "vocab_size": 50257, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
  "num_key_value_heads": 12, "intermediate_size": 2048, "max_position_embeddings": 1024,
  "rms_norm_eps": 1e-5, "tie_word_embeddings": true})";
constexpr const char* kQwen05 = R"({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
  "vocab_size": 151936, "hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14,
  "num_key_value_heads": 2, "intermediate_size": 4864, "max_position_embeddings": 4096,
  "rms_norm_eps": 1e-6, "tie_word_embeddings": true})";

struct Options : BenchOptions {
  std::string model, shape = "smollm", method = "lora[r=8,alpha=16]";
  std::string memory = "fast", quantise = "none";
  int64_t sequences = 2, tokens = 256;
  int steps = 5;
  bool make = false;
};

void make(const Options& options) {
  const char* text = options.shape == "smollm"      ? kSmolLm
                     : options.shape == "llama124m" ? kLlama124
                                                    : kQwen05;
  write_new_model(options.model, ModelConfig::parse(text, options.shape), options.compute(), 1);
}

std::vector<TokenSequence> sequences_of(const Options& options, const BaseFacts& facts) {
  std::vector<TokenSequence> sequences(static_cast<std::size_t>(options.sequences));
  RandomIds ids(facts.vocabulary);
  for (TokenSequence& sequence : sequences) {
    sequence.ids = ids.draw(options.tokens);
    for (int32_t t = 0; t + 1 < options.tokens; ++t) sequence.asked.push_back(t);
  }
  return sequences;
}

// Seconds of each step.
std::vector<double> train(const Options& options, const Learner& learner, Context& context) {
  std::vector<TokenSequence> sequences = sequences_of(options, learner.model->facts());
  std::vector<const TokenSequence*> pointers;
  std::vector<int32_t> answers;
  for (const TokenSequence& sequence : sequences) {
    pointers.push_back(&sequence);
    answers.insert(answers.end(), sequence.ids.begin() + 1, sequence.ids.end());
  }
  TokenBatch batch = make_token_batch(pointers, {});
  Optimizer optimizer(OptimizerOptions{}, {{learner.parameters(), 1e-4}});
  std::vector<double> seconds;
  for (int step = 0; step <= options.steps; ++step) {
    double begin = now();
    context.useful_flops = 0;
    learn_from(context,
               learner.model->next_token_loss(context, learner_logits(context, learner, batch),
                                              answers, static_cast<double>(answers.size())),
               optimizer);
    if (step > 0) seconds.push_back(now() - begin);  // the first packs weights
  }
  return seconds;
}

void run(const Options& options) {
  start_threads(options.threads);
  Learner learner;
  learner.model = load_model(
      options.model, {.language_model = true, .quantise = quantisation_named(options.quantise)});
  learner.layer = OutputLayer::kNextToken;
  learner.adapter =
      Adapter::create("bench", parse_method(options.method), learner.model->facts(), 1);
  double peak = onednn::measure_peak(options.compute());
  Context context(options.compute());
  use(context, step_way(memory_mode_named(options.memory)));
  activate(context, learner);
  double middle = median(train(options, learner, context));
  auto tokens = static_cast<double>(options.sequences * options.tokens);
  Json row{{"contender", "inlay"},
           {"shape", options.shape},
           {"dtype", options.dtype},
           {"method", options.method},
           {"memory", options.memory},
           {"quantise", options.quantise},
           {"sequences", options.sequences},
           {"tokens", options.tokens},
           {"tokens_per_second", tokens / middle},
           {"ms_per_step", 1e3 * middle},
           {"share_of_peak", context.useful_flops / middle / peak},
           {"peak_rss_bytes", peak_rss_bytes()}};
  fmt::print("{}\n", row.dump());
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  CLI::App app("The speed and memory of training LoRA on language models of real shapes");
  inlay::Options options;
  app.add_option("--model", options.model, "a folder that --make has written")->required();
  app.add_flag("--make", options.make, "writes the folder, with weights of --dtype, and no more");
  app.add_option("--shape", options.shape)
      ->check(CLI::IsMember({"smollm", "llama124m", "qwen05b"}));
  options.add_to(app);
  app.add_option("--method", options.method);
  app.add_option("--sequences", options.sequences);
  app.add_option("--tokens", options.tokens);
  app.add_option("--steps", options.steps)->check(CLI::Range(1, 1000));
  app.add_option("--memory", options.memory)
      ->check(CLI::IsMember({"fast", "unpacked", "recompute", "low"}));
  app.add_option("--quantise", options.quantise);
  return inlay::run_bench(app, argc, argv,
                          [&] { options.make ? inlay::make(options) : inlay::run(options); });
}
