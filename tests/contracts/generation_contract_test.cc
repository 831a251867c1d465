// What holds of generated text whatever the decoder: it does not depend on what is generated beside
// it, on threads or on the cache; an adapter and the model it is merged into write the same.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "adapters/storage.h"
#include "autograd/operands.h"
#include "autograd/ops/pooling.h"
#include "base/process.h"
#include "base/source_dir.h"
#include "eval/generation/generator.h"
#include "eval/merge_model.h"
#include "families.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kVocabulary = 96;

// "t0" to "t95", one token each, parted by blanks.
Tokenizer word_tokenizer() {
  Json vocabulary = Json::object();
  for (int64_t id = 0; id < kVocabulary; ++id) vocabulary["t" + std::to_string(id)] = id;
  Json json{{"version", "1.0"},
            {"added_tokens", Json::array()},
            {"pre_tokenizer", {{"type", "Whitespace"}}},
            {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "t0"}}}};
  return Tokenizer::parse(json.dump(), "words");
}

const std::vector<std::vector<int32_t>> kPrompts = {{5, 17, 40}, {9}, {30, 31, 32, 33, 34, 35, 36}};

class Generation : public testing::TestWithParam<const char*> {
 protected:
  Generation() : model_(load_model(folder(), {.language_model = true})) {}

  static fs::path folder() { return source_dir() / "tests/golden/models" / GetParam(); }

  std::vector<Generated> run(const GenerationOptions& options,
                             const std::vector<std::vector<int32_t>>& prompts,
                             Adapter* adapter = nullptr, const Model* model = nullptr) {
    Context context(DType::kF32);
    if (adapter != nullptr) context.adapters = {{.hooks = adapter}};
    Generator generator(context, model != nullptr ? *model : *model_, tokenizer_, options);
    return generator.run(prompts, {}, adapter != nullptr ? adapter->method().positions_taken() : 0);
  }

  // An adapter that does something.
  std::unique_ptr<Adapter> moved(const std::string& method) const {
    auto adapter = Adapter::create("moved", parse_method(method), model_->facts(), 1);
    for (Adapter::Entry& entry : adapter->entries()) {
      Stream stream(11, entry.parameter.name());
      Tensor value = entry.parameter.value().clone();
      for (int64_t i = 0; i < value.count(); ++i) {
        out(value).store(i,
                         in(value).load<double>(i) + 0.1 * stream.normal(static_cast<uint64_t>(i)));
      }
      entry.parameter.set_value(value);
    }
    return adapter;
  }

  std::shared_ptr<const Model> model_;
  Tokenizer tokenizer_ = word_tokenizer();
};

GenerationOptions drawing() {
  return {.do_sample = true, .temperature = 1.5, .max_new_tokens = 12, .seed = 3};
}

TEST_P(Generation, IsTheSameBesideOtherTextsAndOnAnyNumberOfThreads) {
  std::vector<Generated> together = run(drawing(), kPrompts);
  ASSERT_EQ(together.size(), kPrompts.size());
  EXPECT_EQ(run(drawing(), {kPrompts[0]})[0].ids, together[0].ids);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  for (std::size_t i = 0; i < kPrompts.size(); ++i)
    EXPECT_EQ(run(drawing(), kPrompts)[i].ids, together[i].ids);
  omp_set_num_threads(threads);
}

// Every token again from the whole text before it, without a cache.
TEST_P(Generation, TakesTheTokensThatTheWholeTextsGive) {
  for (const char* method :
       {"", "lora[r=4,target_modules=all-linear]", "prefix_tuning[num_virtual_tokens=3]",
        "bottleneck", "prompt_tuning[num_virtual_tokens=2]",
        "prompt_tuning[num_virtual_tokens=2,placement=inputs_embeds]"}) {
    SCOPED_TRACE(method);
    auto adapter = *method == '\0' ? nullptr : moved(method);
    std::vector<Generated> made = run({.max_new_tokens = 6}, kPrompts, adapter.get());
    Context context(DType::kF32);
    context.tape.set_recording(false);
    if (adapter != nullptr) context.adapters = {{.hooks = adapter.get()}};
    for (std::size_t i = 0; i < kPrompts.size(); ++i) {
      std::vector<int32_t> ids = kPrompts[i];
      for (const ChosenToken& token : made[i].tokens) {
        TokenSequence text{ids, {}, {}};
        const TokenSequence* one = &text;
        TokenBatch batch = make_token_batch({&one, 1}, {});
        Variable hidden = model_->encode(context, batch);
        Tensor logits = model_
                            ->next_token_logits(
                                context, pooling(context, hidden, Pooling::kLast, &batch.examples))
                            .value();
        const float* values = logits.data<float>();
        float best = *std::max_element(values, values + kVocabulary);
        EXPECT_NEAR(values[token.id], best, 1e-4);
        double sum = 0;
        for (int64_t id = 0; id < kVocabulary; ++id) sum += std::exp(double{values[id]} - best);
        EXPECT_NEAR(token.logprob, values[token.id] - best - std::log(sum), 1e-4);
        ids.push_back(token.id);
      }
    }
  }
}

// As PEFT sets them: where Hugging Face's models take "inputs_embeds", which in Gemma 3 are scaled
// before, in its forerunners afterwards.
TEST_P(Generation, BehindAPromptOfWordsIsThatBehindTheWords) {
  const std::vector<int32_t> words = {12, 25};
  const BaseFacts& facts = model_->facts();
  auto table = std::find_if(facts.sites.begin(), facts.sites.end(),
                            [](const Site* site) { return site->kind == SiteKind::kEmbedding; });
  ASSERT_NE(table, facts.sites.end());
  auto adapter = moved("prompt_tuning[num_virtual_tokens=2,placement=inputs_embeds]");
  Parameter& prompt = adapter->entries().front().parameter;
  Tensor rows = prompt.value().clone();
  double factor =
      facts.model_type == "gemma3_text" ? std::sqrt(static_cast<double>(facts.hidden)) : 1;
  for (int64_t i = 0; i < rows.count(); ++i) {
    int64_t word = words[static_cast<std::size_t>(i / facts.hidden)];
    out(rows).store(
        i, factor * in((*table)->weight).load<double>(word * facts.hidden + i % facts.hidden));
  }
  prompt.set_value(rows);
  for (const std::vector<int32_t>& text : kPrompts) {
    std::vector<int32_t> whole = words;
    whole.insert(whole.end(), text.begin(), text.end());
    EXPECT_EQ(run({.max_new_tokens = 8}, {text}, adapter.get())[0].ids,
              run({.max_new_tokens = 8}, {whole})[0].ids);
  }
}

TEST_P(Generation, OfAnAdapterIsThatOfTheMergedModel) {
  fs::path place = fs::temp_directory_path() / ("inlay-generation-" + std::string(GetParam()));
  fs::remove_all(place);
  auto adapter = moved("lora[r=4,target_modules=all-linear]");
  save_adapter(place / "adapter", {adapter.get(), nullptr, {"causal-lm", "", "CAUSAL_LM", {}}},
               model_->facts());
  MergeReport report = merge_model({folder(), place / "adapter", place / "merged"});
  EXPECT_LT(report.differences.front().max, 1e-4);
  auto merged = load_model(place / "merged", {.language_model = true});
  std::vector<Generated> with = run({.max_new_tokens = 10}, kPrompts, adapter.get());
  std::vector<Generated> without = run({.max_new_tokens = 10}, kPrompts);
  std::vector<Generated> of_merged = run({.max_new_tokens = 10}, kPrompts, nullptr, merged.get());
  bool differs = false;
  for (std::size_t i = 0; i < kPrompts.size(); ++i) {
    EXPECT_EQ(with[i].ids, of_merged[i].ids) << i;
    differs = differs || with[i].ids != without[i].ids;
  }
  EXPECT_TRUE(differs);
  fs::remove_all(place);
}

TEST_P(Generation, EndsAtEosAtAStopStringAtTheLengthAndWhereTheModelDoes) {
  Generated whole = run({.max_new_tokens = 8}, {kPrompts[0]})[0];
  ASSERT_EQ(whole.ids.size(), 8u);
  EXPECT_EQ(whole.end, TextEnd::kLength);
  EXPECT_EQ(whole.text, tokenizer_.decode(whole.ids, false));

  GenerationOptions ends{.max_new_tokens = 8};
  ends.eos_token_ids = {whole.ids[3]};
  Generated stopped = run(ends, {kPrompts[0]})[0];
  EXPECT_EQ(stopped.end, TextEnd::kEos);
  auto first = std::find(whole.ids.begin(), whole.ids.end(), whole.ids[3]);
  EXPECT_EQ(stopped.ids, std::vector<int32_t>(whole.ids.begin(), first));

  GenerationOptions stops{.max_new_tokens = 8,
                          .stop_strings = {"t" + std::to_string(whole.ids[2])}};
  Generated cut = run(stops, {kPrompts[0]})[0];
  EXPECT_EQ(cut.end, TextEnd::kStopString);
  EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stops.stop_strings[0])));

  int64_t room = model_->facts().max_tokens;
  std::vector<int32_t> almost(static_cast<std::size_t>(room) - 2, 7);
  Generated full = run({.max_new_tokens = 8}, {almost})[0];
  EXPECT_EQ(full.end, TextEnd::kContext);
  EXPECT_EQ(full.ids.size(), 2u);
  auto prompted = moved("prompt_tuning[num_virtual_tokens=2,placement=inputs_embeds]");
  auto fewer = static_cast<std::size_t>(room) - 4;
  Generated behind =
      run({.max_new_tokens = 8}, {std::vector<int32_t>(fewer, 7)}, prompted.get())[0];
  EXPECT_EQ(behind.end, TextEnd::kContext);
  EXPECT_EQ(behind.ids.size(), 2u);
  almost.resize(static_cast<std::size_t>(room), 7);
  try {
    run({}, {almost});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what())
                  .find(fmt::format("prompt 1 has {} tokens, and the model has positions for {}",
                                    room, room)),
              std::string::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Decoders, Generation,
                         testing::Values("llama-causal-lm", "gpt2-causal-lm", "gemma2-causal-lm",
                                         "gemma3-causal-lm", "phi3-causal-lm"));

}  // namespace
}  // namespace inlay
