// What a language model of a real shape generates a second, with weights that nobody trained: the
// base and LoRA on attention in turn, one text at a time. Reading a prompt is bound by matrix
// products, writing by the memory that weights are read from, so each is also printed as a share of
// that limit.
#include <algorithm>

#include "../bench_program.h"
#include "adapters/adapter.h"
#include "autograd/ops/pooling.h"
#include "models/model.h"
#include "tensor/onednn/peak.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

struct Options : BenchOptions {
  std::string model, method = "lora[r=8,alpha=16,target_modules=q_proj+k_proj+v_proj+o_proj]";
  int64_t prompt_tokens = 256, new_tokens = 64;
  int rounds = 5;
};

// Bytes a second that all threads read from an array far larger than any cache: the best of ten
// passes.
double read_bandwidth() {
  constexpr int64_t kNumbers = 64 << 20;  // 256 MiB
  Tensor array = Tensor::zeros({kNumbers}, DType::kF32);
  const float* numbers = array.data<float>();
  double best = 0;
  float total = 0;
  for (int pass = 0; pass < 10; ++pass) {
    double begin = now();
    float sum = 0;
#pragma omp parallel for simd reduction(+ : sum) schedule(static)
    for (int64_t i = 0; i < kNumbers; ++i) sum += numbers[i];
    total += sum;
    best = std::max(best, static_cast<double>(array.byte_count()) / (now() - begin));
  }
  ensure(total == 0, "the sum of zeros is {}", total);
  return best;
}

// What every new token reads: all linear layers and the output projection.
double weight_bytes(const BaseFacts& base) {
  double bytes = 0;
  bool projected = false;
  for (const Site* site : base.sites) {
    projected = projected || site->role == SiteRole::kLanguageModel;
    if (site->kind == SiteKind::kLinear) bytes += static_cast<double>(site->weight.byte_count());
  }
  for (const Site* site : base.sites) {
    bool table = site->kind == SiteKind::kEmbedding && site->weight.dim(0) == base.vocabulary;
    if (table && !projected) bytes += static_cast<double>(site->weight.byte_count());
  }
  return bytes;
}

// The likeliest token after each sequence that was read.
int32_t read(Context& context, const Model& model, TokenSequence sequence, KeyValueCache& cache) {
  const TokenSequence* pointer = &sequence;
  TokenBatch batch = make_token_batch({&pointer, 1}, {});
  Variable hidden = model.continue_from(context, batch, cache);
  Variable last = pooling(context, hidden, Pooling::kLast, &batch.examples);
  Tensor logits = model.next_token_logits(context, last).value();
  const float* first = logits.data<float>();
  return static_cast<int32_t>(std::max_element(first, first + logits.count()) - first);
}

struct Round {
  double prompt_seconds, token_seconds, prompt_flops;
};

Round generate(Context& context, const Model& model, const Options& options) {
  KeyValueCache cache(model.facts().layers, 1);
  TokenSequence prompt;
  Stream stream(1, "prompt");
  for (int64_t t = 0; t < options.prompt_tokens; ++t) {
    prompt.ids.push_back(static_cast<int32_t>(
        stream.below(static_cast<uint64_t>(model.facts().vocabulary), static_cast<uint64_t>(t))));
  }
  context.useful_flops = 0;
  double begin = now();
  int32_t id = read(context, model, prompt, cache);
  double read_at = now(), flops = context.useful_flops;
  context.generating = true;
  for (int64_t i = 0; i < options.new_tokens; ++i) id = read(context, model, {.ids = {id}}, cache);
  context.generating = false;
  return {read_at - begin, (now() - read_at) / static_cast<double>(options.new_tokens), flops};
}

void run(const Options& options) {
  start_threads(options.threads);
  DType compute = options.compute();
  auto model = load_model(options.model, {.language_model = true});
  auto adapter = Adapter::create("bench", parse_method(options.method), model->facts(), 1);
  double peak = onednn::measure_peak(compute), bandwidth = read_bandwidth();
  Context context(compute);
  context.tape.set_recording(false);
  std::vector<double> base, adapted, ratios, prompts;
  double flops = 0;
  for (int round = 0; round <= options.rounds; ++round) {
    context.adapters.clear();
    Round plain = generate(context, *model, options);
    context.adapters = {{.hooks = adapter.get()}};
    Round with = generate(context, *model, options);
    if (round == 0) continue;  // packs weights, compiles kernels
    base.push_back(plain.token_seconds);
    adapted.push_back(with.token_seconds);
    ratios.push_back(with.token_seconds / plain.token_seconds);
    prompts.push_back(plain.prompt_seconds);
    flops = plain.prompt_flops;
  }
  double bytes = weight_bytes(model->facts());
  Json row{
      {"dtype", options.dtype},
      {"prompt_tokens_per_second", static_cast<double>(options.prompt_tokens) / median(prompts)},
      {"prompt_share_of_peak", flops / median(prompts) / peak},
      {"tokens_per_second", 1 / median(base)},
      {"share_of_bandwidth", bytes / median(base) / bandwidth},
      {"bandwidth_gb_per_second", bandwidth / 1e9},
      {"adapted_tokens_per_second", 1 / median(adapted)},
      {"adapter_cost", median(ratios) - 1}};
  fmt::print("{}\n", row.dump());
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  CLI::App app("The speed of generation on language models of real shapes, with and without LoRA");
  inlay::Options options;
  app.add_option("--model", options.model, "a folder that bench_decoder --make has written")
      ->required();
  options.add_to(app);
  app.add_option("--method", options.method);
  app.add_option("--prompt-tokens", options.prompt_tokens)->check(CLI::Range(1, 1024));
  app.add_option("--new-tokens", options.new_tokens)->check(CLI::Range(1, 512));
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 1000));
  return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
}
