#include "eval/generation/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"

namespace inlay {
namespace {

using Logits = std::vector<float>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> log_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

// Sum of (found - expected)^2 / expected over the tokens, of one first token for each of many
// sequences.
double chi_square(const GenerationOptions& options, const std::vector<float>& logits,
                  const std::vector<double>& expected) {
  constexpr int kDraws = 20000;
  std::vector<int> counts(logits.size());
  for (uint64_t sequence = 0; sequence < kDraws; ++sequence) {
    Sampler sampler(options, {.sequence = sequence});
    ++counts[static_cast<std::size_t>(sampler.next(logits).id)];
  }
  double sum = 0;
  for (std::size_t id = 0; id < counts.size(); ++id) {
    if (expected[id] == 0) {
      EXPECT_EQ(counts[id], 0) << id;
      continue;
    }
    const double mean = kDraws * expected[id];
    sum += (counts[id] - mean) * (counts[id] - mean) / mean;
  }
  return sum;
}

// Passed by one right sampler in 1,000: the 99.9 % points of chi-square for 1, 2 and 4 degrees.
constexpr double kOne = 10.83, kTwo = 13.82, kFour = 18.47;

TEST(Sampler, TakesTheLikeliestUnlessAskedToDraw) {
  const std::vector<float> logits = {1, 5, 2, 5, -kInfinity};
  for (const GenerationOptions& options :
       {GenerationOptions{}, GenerationOptions{.do_sample = true, .temperature = 0},
        GenerationOptions{.do_sample = true, .top_p = 0},
        GenerationOptions{.temperature = 0.5, .seed = 9}}) {
    EXPECT_EQ(Sampler(options, {}).next(logits).id, 1);  // of equals the lower id
  }
}

TEST(Sampler, DrawsByTheSoftmax) {
  const std::vector<double> p = {0.1, 0.4, 0.05, 0.25, 0.2};
  EXPECT_LT(chi_square({.do_sample = true}, log_of(p), p), kFour);
  EXPECT_GT(chi_square({.do_sample = true}, log_of(p), {0.1, 0.38, 0.05, 0.27, 0.2}), kFour);
}

TEST(Sampler, DrawsByTheTemperature) {
  // p^(1/2) of 0.04, 0.16 and 0.64, over their sum: 0.2, 0.4 and 0.8 of 1.4.
  EXPECT_LT(chi_square({.do_sample = true, .temperature = 2}, log_of({0.04, 0.16, 0.64}),
                       {1.0 / 7, 2.0 / 7, 4.0 / 7}),
            kTwo);
}

TEST(Sampler, TakesTopKBeforeTopPBeforeMinP) {
  const std::vector<float> logits = log_of({0.4, 0.3, 0.2, 0.06, 0.04});
  // Among the first three 0.4 and 0.3 have 7/9 of the probability, more than 0.75; of all five the
  // third is needed, too.
  EXPECT_LT(chi_square({.do_sample = true, .top_k = 3, .top_p = 0.75}, logits,
                       {4.0 / 7, 3.0 / 7, 0, 0, 0}),
            kOne);
  EXPECT_LT(
      chi_square({.do_sample = true, .top_p = 0.75}, logits, {4.0 / 9, 3.0 / 9, 2.0 / 9, 0, 0}),
      kTwo);
  EXPECT_LT(chi_square({.do_sample = true, .top_p = 0.75, .min_p = 0.6}, logits,
                       {4.0 / 7, 3.0 / 7, 0, 0, 0}),
            kOne);
}

TEST(Sampler, ComparesWhatTheTemperatureGave) {
  // At temperature 1/2 the shares are 16, 9 and 4 of 29: min_p 0.5 keeps two, at temperature 1
  // all three.
  const std::vector<float> logits = log_of({0.4, 0.3, 0.2});
  EXPECT_LT(chi_square({.do_sample = true, .temperature = 0.5, .min_p = 0.499}, logits,
                       {16.0 / 25, 9.0 / 25, 0}),
            kOne);
  EXPECT_LT(chi_square({.do_sample = true, .min_p = 0.499}, logits, {4.0 / 9, 3.0 / 9, 2.0 / 9}),
            kTwo);
}

TEST(Sampler, DrawsAreIndependentOfEachOther) {
  GenerationOptions options{.do_sample = true, .seed = 3};
  const std::vector<float> even = {0, 0};
  std::vector<int> pairs(4);
  for (uint64_t sequence = 0; sequence < 5000; ++sequence) {
    Sampler sampler(options, {.sequence = sequence});
    const int32_t first = sampler.next(even).id, second = sampler.next(even).id;
    ++pairs[static_cast<std::size_t>(2 * first + second)];
  }
  double sum = 0;
  for (int count : pairs) sum += (count - 1250.0) * (count - 1250.0) / 1250.0;
  EXPECT_LT(sum, 16.27);  // the 99.9 % point for three degrees
}

TEST(Sampler, ADrawDependsOnSeedSequenceAndPlaceAlone) {
  const std::vector<float> logits(100, 0);
  auto text = [&](int64_t seed, uint64_t sequence) {
    Sampler sampler({.do_sample = true, .top_k = 0, .seed = seed}, {.sequence = sequence});
    std::vector<int32_t> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(sampler.next(logits).id);
    return ids;
  };
  EXPECT_EQ(text(1, 5), text(1, 5));
  EXPECT_NE(text(1, 5), text(1, 6));
  EXPECT_NE(text(1, 5), text(2, 5));
  // The same place behind another token: rule the first choice out, and the second stays.
  Sampler plain({.do_sample = true, .top_k = 0, .seed = 1}, {.sequence = 5}), other = plain;
  std::vector<float> without = logits;
  without[static_cast<std::size_t>(plain.next(logits).id)] = -kInfinity;
  other.next(without);
  EXPECT_EQ(plain.next(logits).id, other.next(logits).id);
}

TEST(Sampler, PenalisesTokensOfThePromptAndOfTheText) {
  const std::vector<int32_t> prompt = {0, 0, 4, 77, -1};  // twice is once; others are nothing here
  Sampler sampler({.repetition_penalty = 2}, {.prompt = prompt});
  const std::vector<float> logits = {3, 1.6F, 1, -1, 4};
  EXPECT_EQ(sampler.next(logits).id, 4);                     // 1.5, 1.6, 1, -1, 2
  EXPECT_EQ(sampler.next(Logits{3, 1.6F, 1, -1, 3}).id, 1);  // 1.5, 1.6, 1, -1, 1.5
  // Now 1 is seen as well: 1.5, 0.8, 1.
  EXPECT_EQ(sampler.next(Logits{3, 1.6F, 1, -1, 3}).id, 0);
}

TEST(Sampler, PenaltyMultipliesLogitsThatAreNotPositive) {
  const std::vector<int32_t> prompt = {0};
  // -1 becomes -1.5, below -1.2; division would have made it -0.67.
  EXPECT_EQ(Sampler({.repetition_penalty = 1.5}, {.prompt = prompt}).next(Logits{-1, -1.2F}).id, 1);
  // Below 1 it favours them: 1 becomes 2.
  EXPECT_EQ(Sampler({.repetition_penalty = 0.5}, {.prompt = prompt}).next(Logits{1, 1.5F}).id, 0);
}

TEST(Sampler, PenaltyChangesTheDistribution) {
  const std::vector<int32_t> prompt = {0};
  constexpr int kDraws = 20000;
  int zeros = 0;
  for (uint64_t sequence = 0; sequence < kDraws; ++sequence) {
    Sampler sampler({.do_sample = true, .temperature = 2, .repetition_penalty = 2},
                    {.prompt = prompt, .sequence = sequence});
    zeros += sampler.next(Logits{-2, 0}).id == 0 ? 1 : 0;
  }
  // -2 * 2 / 2 against 0: e^-2 to 1. The bound is that of one right sampler in 1,000.
  const double p = std::exp(-2.0) / (1 + std::exp(-2.0));
  EXPECT_NEAR(zeros, kDraws * p, 3.3 * std::sqrt(kDraws * p * (1 - p)));
}

TEST(Sampler, EndsAtAnyEosToken) {
  for (int32_t eos : {1, 2}) {
    Sampler sampler({.eos_token_ids = {1, 2, 99}}, {});
    sampler.next(Logits{5, 0, 0});
    EXPECT_FALSE(sampler.finish().has_value());
    std::vector<float> logits(3, 0);
    logits[static_cast<std::size_t>(eos)] = 1;
    EXPECT_EQ(sampler.next(logits).id, eos);
    EXPECT_EQ(sampler.finish(), Finish::kEos);
    EXPECT_EQ(sampler.new_tokens(), 2);
  }
}

TEST(Sampler, DoesNotEndBeforeMinNewTokensNorAfterMax) {
  Sampler sampler({.min_new_tokens = 2, .max_new_tokens = 3, .eos_token_ids = {0}}, {});
  const std::vector<float> logits = {9, 1, 2};
  EXPECT_EQ(sampler.next(logits).id, 2);
  EXPECT_EQ(sampler.next(logits).id, 2);
  EXPECT_FALSE(sampler.finish().has_value());
  EXPECT_EQ(sampler.next(Logits{0, 1, 2}).id, 2);
  EXPECT_EQ(sampler.finish(), Finish::kLength);

  Sampler again({.min_new_tokens = 2, .max_new_tokens = 3, .eos_token_ids = {0}}, {});
  again.next(logits);
  again.next(logits);
  EXPECT_EQ(again.next(logits).id, 0);  // the last one allowed, and it ends the text itself
  EXPECT_EQ(again.finish(), Finish::kEos);
}

TEST(Sampler, GivesLogProbabilitiesOfTheModelsOwnLogits) {
  const std::vector<int32_t> prompt = {1};
  Sampler sampler({.temperature = 0.1, .repetition_penalty = 10, .logprobs = 3},
                  {.prompt = prompt});
  const ChosenToken chosen = sampler.next(log_of({0.125, 0.5, 0.125, 0.25}));
  // log 0.5 is negative: the penalty makes it the least likely.
  EXPECT_EQ(chosen.id, 3);
  EXPECT_NEAR(chosen.logprob, std::log(0.25), 1e-6);
  ASSERT_EQ(chosen.likeliest.size(), 3u);
  EXPECT_EQ(chosen.likeliest[0].id, 1);
  EXPECT_EQ(chosen.likeliest[1].id, 3);
  EXPECT_EQ(chosen.likeliest[2].id, 0);  // of equals the lower id
  EXPECT_NEAR(chosen.likeliest[0].logprob, std::log(0.5), 1e-6);
  EXPECT_NEAR(chosen.likeliest[2].logprob, std::log(0.125), 1e-6);
}

TEST(Sampler, LogProbabilitiesOfLargeLogitsDoNotOverflow) {
  Sampler sampler({.logprobs = 9}, {});
  const ChosenToken chosen = sampler.next(Logits{3e38F, 3e38F, -3e38F, -kInfinity});
  EXPECT_DOUBLE_EQ(chosen.logprob, std::log(0.5));
  ASSERT_EQ(chosen.likeliest.size(), 4u);
  EXPECT_EQ(chosen.likeliest[3].logprob, -std::numeric_limits<double>::infinity());
}

void expect_input_error(const std::function<void()>& call, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Sampler, RefusesLogitsThatAreNoNumbers) {
  for (bool sample : {false, true}) {
    Sampler sampler({.do_sample = sample, .min_new_tokens = 1, .eos_token_ids = {0}}, {});
    auto next = [&](const std::vector<float>& logits) { return [&] { sampler.next(logits); }; };
    expect_input_error(next({0, NAN, 0}), "new token 0: the logit of token 1 is nan");
    expect_input_error(next({0, 1, kInfinity}), "the logit of token 2 is inf");
    expect_input_error(next({-kInfinity, -kInfinity}), "all logits are -inf");
    expect_input_error(next({1, -kInfinity}), "but those of eos tokens, before min_new_tokens");
    expect_input_error(next({}), "there are no logits");
    EXPECT_EQ(sampler.new_tokens(), 0);
  }
}

TEST(Sampler, ChecksItsOptions) { EXPECT_THROW(Sampler({.top_p = 1.5}, {}), Error); }

}  // namespace
}  // namespace inlay
