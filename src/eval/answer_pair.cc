#include "eval/answer_pair.h"

#include "autograd/operands.h"
#include "autograd/ops/row_ops.h"
#include "eval/prediction_batches.h"
#include "eval/wanted_tokens.h"

namespace inlay {
namespace {

AnswerLikelihood likelihood_of(std::span<const float> token_losses) {
  AnswerLikelihood answer{.tokens = static_cast<int64_t>(token_losses.size())};
  for (float loss : token_losses) answer.log_probability -= static_cast<double>(loss);
  return answer;
}

Variable token_losses_of(Context& context, const Model& model, const TokenBatch& batch,
                         const std::vector<int32_t>& answers) {
  Variable hidden = model.encode(context, batch);
  Variable rows = select_rows(context, hidden, batch.asked, &batch.asked_tokens);
  return model.next_token_loss(context, rows, answers, 1);
}

}  // namespace

AnswerPair answer_pair(const EncodedExample& example, std::span<const float> token_losses) {
  std::size_t of_chosen = example.tokens.asked.size();
  ensure(example.further.size() == 1 &&
             token_losses.size() == of_chosen + example.further[0].asked.size(),
         "{} losses of an example of {} sequences, the first with {} answers", token_losses.size(),
         example.sequence_count(), of_chosen);
  AnswerPair pair{likelihood_of(token_losses.first(of_chosen)),
                  likelihood_of(token_losses.subspan(of_chosen))};
  if (!example.reference.empty()) {
    pair.chosen.reference = example.reference[0];
    pair.rejected.reference = example.reference[1];
  }
  return pair;
}

void add_reference(const Model& model, DType compute, std::vector<EncodedExample>& examples,
                   onednn::Reading weights) {
  std::vector<const EncodedExample*> all;
  all.reserve(examples.size());
  for (EncodedExample& example : examples) {
    example.reference.clear();
    all.push_back(&example);
  }
  Context context(compute);
  context.weights = weights;
  std::size_t next = 0;
  for_each_prediction_batch(context, all, kPredictionTokens, [&](ExampleSpan some) {
    TokenBatch batch = make_example_batch(some, {.first_position = model.facts().first_position});
    std::vector<int32_t> answers = wanted_tokens(some);
    Variable losses = token_losses_of(context, model, batch, answers);
    std::span<const float> values(losses.value().data<float>(), answers.size());
    for (std::size_t first = 0; first < values.size(); ++next) {
      std::size_t count = examples[next].answers.size();
      AnswerPair pair = answer_pair(examples[next], values.subspan(first, count));
      examples[next].reference = {pair.chosen.log_probability, pair.rejected.log_probability};
      first += count;
    }
  });
}

}  // namespace inlay
