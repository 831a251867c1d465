// The time of one training step with each adapter method, relative to LoRA's, on MiniLM's shape and
// batches of 32 sentences of mixed lengths; where a rank can be chosen, it is chosen so that as
// many parameters are trained as with LoRA of rank 8 on all linear layers.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>

#include "../sentence_lengths.h"
#include "adapters/composition.h"
#include "base/text_table.h"
#include "base/units.h"
#include "eval/learner.h"
#include "tensor/threads.h"
#include "train/optimizer.h"

namespace inlay {
namespace {

constexpr const char* kBaseline = "lora[r=8,alpha=16]";
constexpr int kRounds = 3;

// With about as many parameters as the baseline, where a setting allows that.
std::vector<std::string> method_texts() {
  std::vector<std::string> texts = {
      kBaseline,           "lora[r=8,alpha=16,use_dora=true]", "lora[r=8,alpha=16,use_rslora=true]",
      "loha[r=4,alpha=8]", "oft[oft_block_size=32]",           "lokr[r=8,alpha=16]",
      "hra[r=16]",         "bottleneck[reduction_factor=6]",   "bottleneck[preset=parallel]",
      "last_n[n=1]",       "bottleneck[preset=houlsby]"};
  std::vector<std::string> known;
  known.reserve(texts.size());
  for (const std::string& text : texts) known.push_back(text.substr(0, text.find('[')));
  for (const MethodInfo* info : all_methods()) {
    bool given = std::find(known.begin(), known.end(), info->name) != known.end();
    bool needs_parts = info->name == "composition" || info->name == "union";
    if (!given) texts.push_back(needs_parts ? info->example : info->name);
  }
  return texts;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Bench {
 public:
  Bench(std::shared_ptr<const Model> model, const std::string& method,
        const std::vector<std::vector<int64_t>>& lengths, DType compute)
      : context_(compute) {
    learner_.model = std::move(model);
    const BaseFacts& facts = learner_.model->facts();
    learner_.adapter = Adapter::create("bench", parse_method(method), facts, 1);
    learner_.task = find_task("text-classification").make({"no", "yes"}, 0, {});
    HeadLayout layout = resolve_head(facts, HeadKind::kSequenceClassification, "mean");
    learner_.head = std::make_unique<Head>(layout, facts.hidden, 2, 0.0, 1);
    optimizer_ = std::make_unique<Optimizer>(
        OptimizerOptions{}, std::vector<OptimizerGroup>{{learner_.parameters(), 1e-4}});
    activate(context_, learner_);
    make_batches(lengths);
  }

  int64_t parameters() const { return learner_.adapter->parameter_count(); }

  // Seconds of a step, the mean over all batches.
  double pass() {
    double begin = now();
    for (std::size_t i = 0; i < batches_.size(); ++i) step(i);
    return (now() - begin) / static_cast<double>(batches_.size());
  }

 private:
  void step(std::size_t number) {
    Variable losses =
        learner_.task->loss(context_, learner_logits(context_, learner_, batches_[number]),
                            targets_[number], static_cast<double>(targets_[number].classes.size()));
    Tensor seed = Tensor::empty(losses.shape(), losses.dtype());
    std::fill_n(seed.mutable_data<float>(), seed.count(), 1.0f);
    context_.tape.backward(losses, std::move(seed));
    losses = Variable();
    optimizer_->step(1.0, 1.0);
  }

  void make_batches(const std::vector<std::vector<int64_t>>& lengths) {
    Stream stream(1, "ids");
    uint64_t drawn = 0;
    const BaseFacts& facts = learner_.model->facts();
    for (const std::vector<int64_t>& counts : lengths) {
      std::vector<TokenSequence> sequences(counts.size());
      std::vector<const TokenSequence*> pointers;
      BatchTargets targets;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        for (int64_t t = 0; t < counts[i]; ++t) {
          auto id = stream.below(static_cast<uint64_t>(facts.vocabulary), drawn++);
          sequences[i].ids.push_back(static_cast<int32_t>(id));
          sequences[i].types.push_back(0);
        }
        pointers.push_back(&sequences[i]);
        targets.classes.push_back(static_cast<int32_t>(i % 2));
      }
      batches_.push_back(make_token_batch(
          pointers, {.chunk = learner_.gradient_chunk(), .first_position = facts.first_position}));
      targets_.push_back(std::move(targets));
    }
  }

  Context context_;
  Learner learner_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<TokenBatch> batches_;
  std::vector<BatchTargets> targets_;
};

struct Options {
  std::string model, lengths, dtype = "bf16";
  std::vector<std::string> methods;  // empty: all
  int threads = 2;
  bool json = false;
};

// The least of several passes: what disturbs only ever adds. LoRA is measured beside each method.
void run(const Options& options) {
  start_threads(options.threads);
  DType compute = options.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  std::shared_ptr<const Model> model = load_model(options.model);
  std::vector<std::vector<int64_t>> lengths = read_sentence_lengths(options.lengths);
  Bench baseline(model, kBaseline, lengths, compute);
  baseline.pass();
  TextTable table({"method", "parameters", "ms/step", "of LoRA"});
  Json rows = Json::array();
  for (const std::string& text : options.methods.empty() ? method_texts() : options.methods) {
    Bench bench(model, text, lengths, compute);
    bench.pass();
    double own = 1e9, of_lora = 1e9;
    for (int round = 0; round < kRounds; ++round) {
      of_lora = std::min(of_lora, baseline.pass());
      own = std::min(own, bench.pass());
    }
    rows.push_back({{"method", text},
                    {"parameters", bench.parameters()},
                    {"ms_per_step", 1e3 * own},
                    {"of_lora", own / of_lora}});
    table.add_row({text, format_count(bench.parameters()), fmt::format("{:.1f}", 1e3 * own),
                   fmt::format("{:.2f}", own / of_lora)});
  }
  if (options.json) {
    fmt::print("{}\n", Json{{"dtype", options.dtype}, {"methods", rows}}.dump());
  } else {
    fmt::print("{}", table.text());
  }
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  inlay::Options options;
  CLI::App app("The cost of a training step with each adapter method, relative to LoRA");
  app.add_option("--model", options.model)->required();
  app.add_option("--lengths", options.lengths)->required();
  app.add_option("--dtype", options.dtype)->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--threads", options.threads);
  app.add_option("--method", options.methods, "measure only this one; can be given several times");
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  try {
    inlay::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_methods: {}\n", error.what());
    return 1;
  }
  return 0;
}
