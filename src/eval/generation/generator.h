// Texts that a language model writes, several at once: each prompt is read in one pass, then one
// token of every text at a time, whose keys and values are kept. The base, and the adapters that
// are active in the context.
//
//   Generator generator(context, *model, tokenizer, options);
//   std::vector<Generated> texts = generator.run({prompt}, [](std::size_t, std::string_view piece)
//   {
//     std::cout << piece << std::flush;
//   });
//
// Deterministic, and the same for any number of threads; what is generated beside a text changes
// nothing of it. The logits differ from those of encode() by rounding: products of few rows are
// summed in another order (tensor/kernels/few_rows.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/generation/generated_text.h"
#include "eval/generation/sampler.h"
#include "models/model.h"

namespace inlay {

enum class TextEnd { kEos, kLength, kStopString, kContext };
std::string_view text_end_name(TextEnd end);  // "eos", "length", "stop", "context"

struct Generated {
  std::vector<int32_t> ids;         // without the eos token
  std::vector<ChosenToken> tokens;  // the eos token, too
  std::string text;                 // up to a stop string, which is no part of it
  TextEnd end = TextEnd::kLength;
};

// What the last run took.
struct GenerationWork {
  int64_t prompt_tokens = 0, new_tokens = 0;
  double prompt_seconds = 0, new_seconds = 0;
};

class Generator {
 public:
  // What is certain of text `number` and was not before.
  using Listener = std::function<void(std::size_t number, std::string_view piece)>;

  // All must outlive this. kUsage as check_options().
  Generator(Context& context, const Model& model, const Tokenizer& tokenizer,
            GenerationOptions options);

  // One text for each prompt, in order, with `positions_taken` by virtual tokens before each.
  // kInput for a prompt without tokens or longer than the positions of the model allow, which says
  // both numbers.
  std::vector<Generated> run(const std::vector<std::vector<int32_t>>& prompts,
                             const Listener& listener = {}, int64_t positions_taken = 0);
  const GenerationWork& work() const { return work_; }

 private:
  struct Text;
  struct Going;
  // `room`: positions for a text and its prompt.
  void check_prompts(const std::vector<std::vector<int32_t>>& prompts, int64_t room) const;
  std::vector<Text> start(const std::vector<std::vector<int32_t>>& prompts, int64_t room) const;
  // One token more of each text that goes on; those that still do afterwards.
  Going advance(std::vector<Text>& texts, const Going& going, KeyValueCache& cache,
                const Listener& listener);
  // Logits of the token that follows each sequence, (sequences, vocabulary).
  Tensor read(const std::vector<TokenSequence>& sequences, KeyValueCache& cache);
  void take(Text& text, std::span<const float> logits, std::size_t number,
            const Listener& listener);

  Context& context_;
  const Model& model_;
  const Tokenizer& tokenizer_;
  GenerationOptions options_;
  GenerationWork work_;
};

}  // namespace inlay
