#include "eval/embedding_task.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

// The shortest decimal that reads back as the same float.
double shortest(float value) { return std::stod(fmt::format("{}", value)); }

// A picture has a name, a text a line.
std::string place_of(const EncodedExample& example) {
  bool picture = example.tokens.pixels != nullptr;
  return picture ? example.source->text : fmt::format("line {}", example.source->line);
}

[[noreturn]] void refuse() {
  fail(ErrorKind::kInternal, "a task of embeddings was asked for a loss or figures");
}

}  // namespace

Json embedding_prediction(const ModelOutput& output) {
  double square = 0;
  for (float value : output.values) square += double{value} * double{value};
  double norm = std::sqrt(square);
  require(norm > 0 && std::isfinite(norm), ErrorKind::kInput,
          "{}: the embedding has length {}, so it has no direction; compute in f32",
          place_of(*output.example), norm);
  Json embedding = Json::array();
  for (float value : output.values) embedding.push_back(shortest(static_cast<float>(value / norm)));
  return {{"embedding", std::move(embedding)}};
}

BatchTargets EmbeddingTask::targets(ExampleSpan /*examples*/) const { refuse(); }

double EmbeddingTask::loss_weight(ExampleSpan /*examples*/) const { refuse(); }

Variable EmbeddingTask::loss(Context& /*context*/, const Variable& /*logits*/,
                             const BatchTargets& /*targets*/, double /*normalizer*/) const {
  refuse();
}

Json EmbeddingTask::metrics(std::span<const ModelOutput> /*outputs*/) const { refuse(); }

TaskInfo embedding_info(std::string name, std::string summary, TaskKind data) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .data = data,
          .layer = OutputLayer::kPooling,
          .trainable = false,
          .problem_type = "",
          .peft_type = "FEATURE_EXTRACTION",
          .choosing_metrics = {},
          .headline = {},
          .make = [](const std::vector<std::string>&, int64_t outputs, const TaskOptions&)
              -> std::unique_ptr<Task> { return std::make_unique<EmbeddingTask>(outputs); }};
}

}  // namespace inlay
