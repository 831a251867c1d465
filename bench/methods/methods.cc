// The time of one training step with each adapter method, relative to LoRA's, on MiniLM's shape and
// batches of 32 sentences of mixed lengths; where a rank can be chosen, it is chosen so that as
// many parameters are trained as with LoRA of rank 8 on all linear layers.
#include <algorithm>

#include "../bench_program.h"
#include "../classifier_training.h"
#include "../sentence_lengths.h"
#include "adapters/composition.h"
#include "base/units.h"
#include "tensor/threads.h"

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

class Bench {
 public:
  Bench(std::shared_ptr<const Model> model, const std::string& method,
        const std::vector<std::vector<int64_t>>& lengths, DType compute)
      : training_(std::move(model), method, "mean", compute) {
    training_.make_batches(lengths);
  }

  int64_t parameters() const { return training_.parameters(); }

  // Seconds of a step, the mean over all batches.
  double pass() {
    double begin = now();
    for (std::size_t i = 0; i < training_.batch_count(); ++i) training_.step(i);
    return (now() - begin) / static_cast<double>(training_.batch_count());
  }

 private:
  ClassifierTraining training_;
};

struct Options : BenchOptions {
  std::string model, lengths;
  std::vector<std::string> methods;  // empty: all
};

// The least of several passes: what disturbs only ever adds. LoRA is measured beside each method.
void run(const Options& options) {
  start_threads(options.threads);
  std::shared_ptr<const Model> model = load_model(options.model);
  std::vector<std::vector<int64_t>> lengths = read_sentence_lengths(options.lengths);
  Bench baseline(model, kBaseline, lengths, options.compute());
  baseline.pass();
  TextTable table({"method", "parameters", "ms/step", "of LoRA"});
  Json rows = Json::array();
  for (const std::string& text : options.methods.empty() ? method_texts() : options.methods) {
    Bench bench(model, text, lengths, options.compute());
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
  options.print({{"dtype", options.dtype}, {"methods", rows}}, table);
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  inlay::Options options;
  CLI::App app("The cost of a training step with each adapter method, relative to LoRA");
  app.add_option("--model", options.model)->required();
  app.add_option("--lengths", options.lengths)->required();
  options.add_to(app);
  app.add_option("--method", options.methods, "measure only this one; can be given several times");
  app.add_flag("--json", options.json);
  return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
}
