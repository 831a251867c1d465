#include "check/memory_survey.h"

#include <algorithm>
#include <memory>

#include "base/process.h"
#include "base/random.h"
#include "check/parts.h"
#include "check/probe.h"
#include "models/noise_picture.h"
#include "tensor/tensor_heap.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kExampleTokens = 64;
constexpr int64_t kExamples = kProbeTokens / kExampleTokens;

// Examples of made up tokens: a text of class 0, and every token after the first as an answer; or
// two pictures.
struct MadeUp {
  Example source;
  std::vector<EncodedExample> examples;

  MadeUp(const BaseFacts& base, bool language) {
    source.class_id = 0;
    if (base.images) {
      add_pictures(base);
    } else {
      add_texts(base, language);
    }
  }

 private:
  void add_texts(const BaseFacts& base, bool language) {
    Stream stream(1, "tokens");
    uint64_t drawn = 0;
    for (int64_t e = 0; e < kExamples; ++e) {
      EncodedExample& example = examples.emplace_back();
      example.source = &source;
      for (int32_t t = 0; t < kExampleTokens; ++t) {
        auto id =
            static_cast<int32_t>(stream.uniform(drawn++) * static_cast<float>(base.vocabulary));
        example.tokens.ids.push_back(std::min(id, static_cast<int32_t>(base.vocabulary) - 1));
        if (!language || t == 0) continue;
        example.tokens.asked.push_back(t - 1);
        example.answers.push_back(example.tokens.ids.back());
      }
      if (base.type_count > 0) example.tokens.types.assign(example.tokens.ids.size(), 0);
    }
  }

  void add_pictures(const BaseFacts& base) {
    auto noise = noise_picture(base.image_size, 1);
    for (int e = 0; e < 2; ++e) {
      EncodedExample& example = examples.emplace_back();
      example.source = &source;
      example.tokens.pixels = noise;
    }
  }
};

Learner made_up_learner(const std::shared_ptr<const Model>& model, const TaskInfo& task,
                        const std::string& method) {
  Learner learner{.model = model};
  set_task(learner, task, {.classes = {"no", "yes"}, .outputs = 2});
  if (learner.layer == OutputLayer::kHead)
    learner.head = make_head(*model, *learner.task, {.seed = 1});
  learner.adapter = Adapter::create("default", parse_method(method), model->facts(), 1);
  return learner;
}

// A base as some format holds its layers, against the one that was measured.
struct HeldBase {
  std::string name;
  WeightMemory weights;  // of matrices that can be packed
  uint64_t fixed;        // in mode low
};

std::vector<HeldBase> held_bases(const BaseFacts& base, SiteHooks* hooks, uint64_t fixed,
                                 bool language, DType compute) {
  WeightMemory layers = layer_memory(base, hooks, compute);
  WeightMemory projection = language ? projection_memory(base, compute) : WeightMemory{};
  std::vector<HeldBase> bases{
      {"as stored", {layers.packed + projection.packed, layers.stored + projection.stored}, fixed}};
  bool in_blocks = std::any_of(base.sites.begin(), base.sites.end(),
                               [](const Site* site) { return site->quantised != nullptr; });
  if (in_blocks) return bases;
  for (const auto& [name, format] :
       {std::pair{"int8", BlockFormat::kInt8Rows}, std::pair{"nf4", BlockFormat::kNf4}}) {
    uint64_t held = quantised_bytes(base, format);
    bases.push_back({name, projection, fixed - std::min(fixed, layers.stored) + held});
  }
  return bases;
}

}  // namespace

Json MemorySurvey::to_json() const {
  Json json{{"limit_bytes", limit}, {"task", task}, {"trained", trained}, {"rows", Json::array()}};
  for (const SurveyRow& row : rows) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      json["rows"].push_back({{"base", row.base},
                              {"memory", memory_mode_name(row.mode)},
                              {"tokens", tokens[i]},
                              {"forecast_bytes", row.bytes[i]},
                              {"fits", row.bytes[i] <= limit}});
    }
  }
  return json;
}

MemorySurvey survey_memory(const fs::path& folder, const std::string& method, DType compute,
                           uint64_t limit) {
  std::shared_ptr<const Model> model = load_model(folder, {.language_model = true});
  const BaseFacts& base = model->facts();
  bool language = model->has_language_model();
  const TaskInfo& task = find_task(language      ? "causal-lm"
                                   : base.images ? "image-classification"
                                                 : "text-classification");
  MadeUp data(base, language);
  std::vector<const EncodedExample*> train;
  for (const EncodedExample& example : data.examples) train.push_back(&example);
  Dataset none;
  CheckSubject subject{.model = *model,
                       .method = method,
                       .fresh = [&] { return made_up_learner(model, task, method); },
                       .data = none,
                       .train = train,
                       .compute = compute,
                       .memory_limit = limit};
  MemorySurvey survey{.tokens = {256, 1024, 4096, kMicroBatchTokens},
                      .limit = memory_limit(subject),
                      .task = task.name};
  // Without packing anything: a base that only just fits can be asked about, too.
  Learner learner = subject.fresh();
  uint64_t trained_bytes = 0;
  for (const Parameter* parameter : learner.parameters())
    trained_bytes += parameter->value().byte_count();
  survey.trained = learner.adapter->parameter_count();
  StepMemory kept = measure_step(subject, learner, {false, onednn::Reading::kStored});
  StepMemory again = measure_step(subject, learner, {true, onednn::Reading::kStored});
  trim_tensor_heap();
  uint64_t fixed = current_rss_bytes() + table_bytes(base) + kFurtherBytes + 3 * trained_bytes;
  for (const HeldBase& held : held_bases(base, learner.adapter.get(), fixed, language, compute)) {
    for (MemoryMode mode : kMemoryModes) {
      SurveyRow row{.base = held.name, .mode = mode};
      const StepMemory& step = step_way(mode).recompute ? again : kept;
      for (int64_t tokens : survey.tokens) {
        row.bytes.push_back(fixed_in(mode, MemoryMode::kLow, held.fixed, held.weights) +
                            step.at(tokens));
      }
      survey.rows.push_back(std::move(row));
    }
  }
  return survey;
}

}  // namespace inlay
