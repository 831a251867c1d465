// For the tests of this folder: a tiny Llama whose logits PyTorch computed, over the words "t0" to
// "t95", one token each.
#pragma once

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/source_dir.h"
#include "eval/learner.h"
#include "formats/safetensors.h"

namespace inlay {

inline Tokenizer word_tokenizer() {
  Json vocabulary = Json::object();
  for (int id = 0; id < 96; ++id) vocabulary["t" + std::to_string(id)] = id;
  Json json{{"version", "1.0"},
            {"added_tokens", Json::array()},
            {"pre_tokenizer", {{"type", "Whitespace"}}},
            {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "t0"}}}};
  return Tokenizer::parse(json.dump(), "words");
}

// log softmax, in double.
inline double log_probability(std::span<const float> logits, int32_t id) {
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit});
  return double{logits[static_cast<std::size_t>(id)]} - std::log(sum);
}

class DecoderCase {
 public:
  DecoderCase() {
    auto folder = source_dir() / "tests/golden/models/llama-tied-causal-lm";
    model = load_model(folder, {.language_model = true});
    auto expected = SafetensorsFile::open(folder / "expected.safetensors");
    Tensor offsets = expected.tensor("offsets"), tokens = expected.tensor("input_ids");
    int64_t end = offsets.data<int64_t>()[1];
    for (int64_t t = 0; t < end; ++t)
      row.push_back(static_cast<int32_t>(tokens.data<int64_t>()[t]));
    logits_ = expected.tensor("logits");
  }

  // PyTorch's log-probability of token t of the first golden row, after those before it.
  double expected_log_probability(std::size_t t) const {
    auto width = static_cast<std::size_t>(logits_.dim(1));
    return log_probability({logits_.data<float>() + (t - 1) * width, width}, row[t]);
  }

  Learner learner(const std::string& task) const {
    Learner learner;
    learner.model = model;
    set_task(learner, find_task(task), {});
    return learner;
  }

  // "t5 t17": tokens [first, last) of the row.
  std::string text(std::size_t first, std::size_t last) const {
    std::string words;
    for (std::size_t t = first; t < last; ++t)
      words += (words.empty() ? "t" : " t") + std::to_string(row[t]);
    return words;
  }

  std::shared_ptr<const Model> model;
  std::vector<int32_t> row;

 private:
  Tensor logits_;  // (tokens, vocabulary) of all rows, this one first
};

inline std::vector<ModelOutput> predicted(const Learner& learner,
                                          const std::vector<EncodedExample>& examples) {
  std::vector<const EncodedExample*> all;
  all.reserve(examples.size());
  for (const EncodedExample& example : examples) all.push_back(&example);
  Context context(DType::kF32);
  return predict(context, learner, all);
}

}  // namespace inlay
