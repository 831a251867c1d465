// Whether a merged language model writes what base and adapter write, token for token: greedy texts
// for prompts of a file, one a line. Where texts part, in bf16 above all, the place of the first
// different token and the divergence of the two distributions there (Kullback-Leibler, in nats).
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "../bench_program.h"
#include "autograd/ops/pooling.h"
#include "base/files.h"
#include "eval/generation/generator.h"
#include "eval/merge_model.h"
#include "eval/opened_learner.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

struct Options : BenchOptions {
  std::string model, adapter, prompts;
  int64_t new_tokens = 64;
};

// A folder that is gone with the object.
struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / fmt::format("inlay-merged-{}", ::getpid());
  ~TemporaryFolder() { fs::remove_all(path); }
};

std::vector<std::vector<int32_t>> read_prompts(const Options& options, const Tokenizer& tokenizer) {
  std::vector<std::vector<int32_t>> prompts;
  std::istringstream lines(read_file(options.prompts));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) prompts.push_back(tokenizer.encode(line).ids);
  return prompts;
}

// log p of what follows the tokens.
std::vector<double> next_log_probabilities(Context& context, const Model& model,
                                           const std::vector<int32_t>& ids) {
  TokenSequence sequence{.ids = ids};
  const TokenSequence* pointer = &sequence;
  TokenBatch batch = make_token_batch({&pointer, 1}, {});
  Variable hidden = model.encode(context, batch);
  Variable last = pooling(context, hidden, Pooling::kLast, &batch.examples);
  Tensor logits = model.next_token_logits(context, last).value().to(DType::kF64);
  std::vector<double> log_p(logits.data<double>(), logits.data<double>() + logits.count());
  double largest = *std::max_element(log_p.begin(), log_p.end()), sum = 0;
  for (double value : log_p) sum += std::exp(value - largest);
  for (double& value : log_p) value -= largest + std::log(sum);
  return log_p;
}

double divergence(const std::vector<double>& log_p, const std::vector<double>& log_q) {
  double sum = 0;
  for (std::size_t i = 0; i < log_p.size(); ++i) sum += std::exp(log_p[i]) * (log_p[i] - log_q[i]);
  return sum;
}

void run(const Options& options) {
  start_threads(options.threads);
  DType compute = options.compute();
  TemporaryFolder out;
  merge_model({.model = options.model, .adapter = options.adapter, .out = out.path});
  auto merged = load_model(out.path, {.language_model = true});
  OpenedLearner opened =
      open_learner({.model = options.model, .adapter = options.adapter, .task = "causal-lm"});
  const Model& base = *opened.learner.model;
  std::vector<std::vector<int32_t>> prompts = read_prompts(options, *opened.tokenizer);
  GenerationOptions generation{.max_new_tokens = options.new_tokens};

  Context adapted(compute), plain(compute);
  activate(adapted, opened.learner);
  std::vector<Generated> with =
      Generator(adapted, base, *opened.tokenizer, generation).run(prompts);
  std::vector<Generated> whole =
      Generator(plain, *merged, *opened.tokenizer, generation).run(prompts);

  adapted.tape.set_recording(false);
  plain.tape.set_recording(false);
  int64_t equal = 0, earliest = options.new_tokens;
  double largest = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<int32_t>&one = with[i].ids, &other = whole[i].ids;
    if (one == other) {
      ++equal;
      continue;
    }
    auto place = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
    earliest = std::min<int64_t>(earliest, place - one.begin());
    std::vector<int32_t> ids = prompts[i];
    ids.insert(ids.end(), one.begin(), place);
    largest = std::max(largest, divergence(next_log_probabilities(adapted, base, ids),
                                           next_log_probabilities(plain, *merged, ids)));
  }
  Json row{{"dtype", options.dtype}, {"prompts", prompts.size()}, {"equal", equal}};
  if (equal < static_cast<int64_t>(prompts.size())) {
    row["first_different_token"] = earliest;
    row["largest_divergence"] = largest;
  }
  fmt::print("{}\n", row.dump());
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  CLI::App app("Whether a merged language model writes what base and adapter write");
  inlay::Options options;
  app.add_option("--model", options.model, "a language model's folder")->required();
  app.add_option("--adapter", options.adapter, "an adapter of it")->required();
  app.add_option("--prompts", options.prompts, "a file with a prompt per line")->required();
  options.add_to(app);
  app.add_option("--new-tokens", options.new_tokens)->check(CLI::Range(1, 4096));
  return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
}
