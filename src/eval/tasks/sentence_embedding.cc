// A vector of length 1 per text, pooled from the last hidden states, so that a dot product of two
// is their cosine (Reimers and Gurevych 2019). It reads what a base and an adapter give and trains
// nothing.
#include <cmath>

#include "eval/task.h"

namespace inlay {
namespace {

// The shortest decimal that reads back as the same float.
double shortest(float value) { return std::stod(fmt::format("{}", value)); }

class SentenceEmbedding : public Task {
 public:
  explicit SentenceEmbedding(int64_t hidden) : hidden_(hidden) {}

  int64_t outputs() const override { return hidden_; }

  BatchTargets targets(ExampleSpan) const override { refuse(); }
  double loss_weight(ExampleSpan) const override { refuse(); }
  Variable loss(Context&, const Variable&, const BatchTargets&, double) const override { refuse(); }
  Json metrics(std::span<const ModelOutput>) const override { refuse(); }

  Json prediction(const ModelOutput& output) const override {
    double square = 0;
    for (float value : output.values) square += double{value} * double{value};
    double norm = std::sqrt(square);
    require(norm > 0 && std::isfinite(norm), ErrorKind::kInput,
            "line {}: the embedding has length {}, so it has no direction; compute in f32",
            output.example->source->line, norm);
    Json embedding = Json::array();
    for (float value : output.values)
      embedding.push_back(shortest(static_cast<float>(value / norm)));
    return {{"embedding", std::move(embedding)}};
  }

 private:
  // Unreachable behind require_trainable().
  [[noreturn]] static void refuse() {
    fail(ErrorKind::kInternal, "sentence-embedding was asked for a loss or figures");
  }

  int64_t hidden_;
};

}  // namespace

const TaskInfo& task_sentence_embedding() {
  static const TaskInfo info{.name = "sentence-embedding",
                             .summary = "A vector of length 1 per text; for inlay predict.",
                             .data = TaskKind::kUnlabelled,
                             .layer = OutputLayer::kPooling,
                             .trainable = false,
                             .problem_type = "",
                             .peft_type = "FEATURE_EXTRACTION",
                             .choosing_metrics = {},
                             .headline = {},
                             .make = [](const std::vector<std::string>&, int64_t outputs,
                                        const TaskOptions&) -> std::unique_ptr<Task> {
                               return std::make_unique<SentenceEmbedding>(outputs);
                             }};
  return info;
}

}  // namespace inlay
