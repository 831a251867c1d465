// Two adapters with a head each on MiniLM, over sentences of mixed lengths: both in one pass
// against a pass for each, with and without the first layers dropped; and rows that name their
// adapter against two passes over a half each.
#include <array>
#include <deque>
#include <functional>

#include "../bench_program.h"
#include "../random_ids.h"
#include "../sentence_lengths.h"
#include "adapters/composition.h"
#include "eval/several_learners.h"
#include "tensor/threads.h"

namespace inlay {
namespace {

constexpr int kRounds = 7;

struct Options : BenchOptions {
  std::string model, lengths, method = "lora[r=8,alpha=16]";
};

double seconds_of(const std::function<void()>& work) {
  double begin = now();
  work();
  return now() - begin;
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : context_(options.compute()), model_(load_model(options.model)) {
    for (uint64_t seed : {1, 2}) {
      whole_.push_back(
          Adapter::create("adapter", parse_method(options.method), model_->facts(), seed));
      all_.push_back(
          learner(Adapter::create("adapter", parse_method(options.method), model_->facts(), seed)));
      dropped_.push_back(learner(compose("adapter", "drop(a, 0, 1, 2)",
                                         {{"a", whole_.back().get()}}, model_->facts(), seed)));
    }
    read_examples(options.lengths);
  }

  struct Row {
    std::string what;
    double apart = 0, together = 0;
  };

  std::vector<Row> rows() {
    return {measured("a, b", all_), measured("drop(a, 0, 1, 2), drop(b, 0, 1, 2)", dropped_),
            measured_rows()};
  }

 private:
  NamedLearner learner(std::unique_ptr<Adapter> adapter) const {
    NamedLearner named{.name = "a", .task = &find_task("text-classification")};
    named.learner.model = model_;
    named.learner.adapter = std::move(adapter);
    HeadLayout layout = resolve_head(model_->facts(), HeadKind::kSequenceClassification, "mean");
    named.learner.head = std::make_unique<Head>(layout, model_->facts().hidden, 2, 0.0, 1);
    named.learner.task = named.task->make({"no", "yes"}, 0, {});
    return named;
  }

  void read_examples(const std::string& path) {
    RandomIds ids(model_->facts().vocabulary);
    for (const std::vector<int64_t>& counts : read_sentence_lengths(path)) {
      for (int64_t count : counts) {
        EncodedExample& example = encoded_.emplace_back();
        example.source = &source_;
        example.tokens.ids = ids.draw(count);
        example.tokens.types.assign(static_cast<std::size_t>(count), 0);
        examples_.push_back(&example);
      }
    }
  }

  double alone(const NamedLearner& named, ExampleSpan examples) {
    return seconds_of([&]() {
      activate(context_, named.learner);
      predict(context_, named.learner, examples);
    });
  }

  // Medians; both ways by turns, after one round that is not counted.
  Row median_of(const std::string& what, const std::function<double()>& apart,
                const std::function<double()>& together) const {
    std::vector<double> first, second;
    for (int round = 0; round <= kRounds; ++round) {
      double a = apart(), b = together();
      if (round == 0) continue;
      first.push_back(a);
      second.push_back(b);
    }
    return {what, median(first), median(second)};
  }

  Row measured(const std::string& what, const std::vector<NamedLearner>& learners) {
    return median_of(
        "parallel(" + what + ")",
        [&]() { return alone(learners[0], examples_) + alone(learners[1], examples_); },
        [&]() {
          return seconds_of([&]() {
            SharedWork work;
            predict_parallel(context_, learners, examples_, {}, work);
          });
        });
  }

  Row measured_rows() {
    std::vector<std::size_t> choice;
    choice.reserve(examples_.size());
    std::array<std::vector<const EncodedExample*>, 2> halves;
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      choice.push_back(i % 2);
      halves.at(i % 2).push_back(examples_[i]);
    }
    return median_of(
        "every second row a, the others b",
        [&]() { return alone(all_[0], halves[0]) + alone(all_[1], halves[1]); },
        [&]() {
          return seconds_of([&]() { predict_by_row(context_, all_, choice, examples_, {}); });
        });
  }

  Context context_;
  std::shared_ptr<const Model> model_;
  std::vector<std::unique_ptr<Adapter>> whole_;
  std::vector<NamedLearner> all_, dropped_;
  Example source_;
  std::deque<EncodedExample> encoded_;
  std::vector<const EncodedExample*> examples_;
};

void run(const Options& options) {
  start_threads(options.threads);
  Bench bench(options);
  TextTable table({"one pass", "ms apart", "ms together", "share"});
  Json rows = Json::array();
  for (const Bench::Row& row : bench.rows()) {
    double share = row.together / row.apart;
    rows.push_back({{"pass", row.what},
                    {"ms_apart", 1e3 * row.apart},
                    {"ms_together", 1e3 * row.together},
                    {"share", share}});
    table.add_row({row.what, fmt::format("{:.0f}", 1e3 * row.apart),
                   fmt::format("{:.0f}", 1e3 * row.together), fmt::format("{:.2f}", share)});
  }
  options.print({{"dtype", options.dtype}, {"method", options.method}, {"rows", rows}}, table);
}

}  // namespace
}  // namespace inlay

int main(int argc, char** argv) {
  inlay::Options options;
  CLI::App app("Two adapters in one pass against a pass for each");
  app.add_option("--model", options.model)->required();
  app.add_option("--lengths", options.lengths)->required();
  app.add_option("--method", options.method);
  options.add_to(app);
  app.add_flag("--json", options.json);
  return inlay::run_bench(app, argc, argv, [&] { inlay::run(options); });
}
