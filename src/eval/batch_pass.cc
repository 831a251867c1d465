#include "eval/batch_pass.h"

#include <algorithm>

#include "autograd/operands.h"
#include "data/batches.h"
#include "data/chat/pack_sequences.h"

namespace inlay {
namespace {

using Examples = std::vector<const EncodedExample*>;

// Where the next micro-batch ends: a multiple of `chunk` examples, at most `limit` examples or
// `most_tokens` tokens.
std::size_t micro_batch_end(const Examples& batch, std::size_t first, int64_t limit,
                            int64_t most_tokens, int64_t chunk) {
  std::size_t end = first;
  int64_t tokens = 0;
  while (end < batch.size()) {
    std::size_t next = std::min(batch.size(), end + static_cast<std::size_t>(chunk));
    for (std::size_t i = end; i < next; ++i) tokens += batch[i]->token_count();
    bool full = limit > 0 ? static_cast<int64_t>(next - first) > limit : tokens > most_tokens;
    if (full && end > first) break;
    end = next;
  }
  return end;
}

}  // namespace

namespace {

// Each alone, or packs in the order of their first examples.
std::vector<Examples> packs_of(const Examples& examples, int64_t pack_tokens) {
  std::vector<Examples> packs;
  if (pack_tokens == 0) {
    packs.reserve(examples.size());
    for (const EncodedExample* example : examples) packs.push_back({example});
    return packs;
  }
  std::vector<int64_t> lengths;
  lengths.reserve(examples.size());
  for (const EncodedExample* example : examples) lengths.push_back(example->token_count());
  Packing packing = pack_sequences(lengths, pack_tokens);
  std::sort(packing.groups.begin(), packing.groups.end());
  for (const std::vector<std::size_t>& group : packing.groups) {
    Examples& pack = packs.emplace_back();
    for (std::size_t index : group) pack.push_back(examples[index]);
  }
  return packs;
}

}  // namespace

std::vector<Examples> batches_of_epoch(ExampleSpan examples, const BatchPlan& plan, int64_t epoch) {
  std::vector<std::size_t> all(examples.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Examples shuffled;
  shuffled.reserve(all.size());
  for (std::size_t i : epoch_order(all, plan.seed, static_cast<uint64_t>(epoch)))
    shuffled.push_back(examples[i]);
  std::vector<Examples> batches;
  std::size_t count = 0;
  for (const Examples& pack : packs_of(shuffled, plan.pack_tokens)) {
    if (count++ % static_cast<std::size_t>(plan.batch_size) == 0) batches.emplace_back();
    batches.back().insert(batches.back().end(), pack.begin(), pack.end());
  }
  return batches;
}

double pass_batch(Context& context, const Learner& learner, const Examples& posed,
                  int64_t micro_batch, int64_t most_tokens) {
  double normalizer = learner.task->loss_weight(posed);
  double total = 0;
  std::size_t first = 0;
  int64_t sequence = 0;
  while (first < posed.size()) {
    std::size_t end =
        learner.couples_batch()
            ? posed.size()
            : micro_batch_end(posed, first, micro_batch, most_tokens, learner.gradient_chunk());
    Examples micro(posed.begin() + static_cast<std::ptrdiff_t>(first),
                   posed.begin() + static_cast<std::ptrdiff_t>(end));
    TokenBatch tokens = learner_batch(learner, micro,
                                      {.first = static_cast<int64_t>(first),
                                       .chunk = learner.gradient_chunk(),
                                       .first_position = learner.model->facts().first_position,
                                       .first_sequence = sequence});
    sequence += tokens.example_count();
    BatchTargets targets = learner.task->targets(micro);
    Variable losses = learner.task->loss(context, learner_logits(context, learner, micro, tokens),
                                         targets, normalizer);
    // Added row after row over the whole effective batch, so the sum does not see the
    // micro-batches.
    kernels::Input rows = in(losses.value());
    Tensor seed = Tensor::empty(losses.shape(), losses.dtype(), &context.arena);
    for (int64_t i = 0; i < losses.value().count(); ++i) {
      total += rows.load<double>(i);
      out(seed).store(i, 1.0);
    }
    if (context.tape.recording()) context.tape.backward(losses, std::move(seed));
    first = end;
  }
  return total;
}

}  // namespace inlay
