#include "eval/merge_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adapters/merged_folder.h"
#include "base/random.h"
#include "base/staged_folder.h"
#include "models/noise_picture.h"

namespace fs = std::filesystem;

namespace inlay {
namespace {

constexpr uint64_t kProbeSeed = 1;
constexpr uint64_t kLongestProbe = 24;
constexpr std::size_t kProbePictures = 4;

std::vector<TokenSequence> drawn_sequences(const BaseFacts& base, int64_t count) {
  Stream stream(kProbeSeed, "merge/probe");
  std::vector<TokenSequence> rows(static_cast<std::size_t>(count));
  if (base.images) {
    rows.resize(kProbePictures);
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i].pixels = noise_picture(base.image_size, kProbeSeed + i);
    return rows;
  }
  uint64_t longest = std::min(kLongestProbe, static_cast<uint64_t>(base.max_tokens));
  uint64_t drawn = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    uint64_t length = std::min(longest, 3 + i % kLongestProbe);
    for (uint64_t t = 0; t < length; ++t) {
      rows[i].ids.push_back(
          static_cast<int32_t>(stream.below(static_cast<uint64_t>(base.vocabulary), drawn++)));
    }
    rows[i].types.assign(length, 0);
  }
  return rows;
}

// What base, adapter and head give, or the merged model with the same head.
std::vector<double> logits_of(const Learner& learner, const Model& model, bool adapted,
                              const std::vector<TokenSequence>& probe, DType compute) {
  Context context(compute);
  context.tape.set_recording(false);
  if (adapted) activate(context, learner);
  std::vector<double> values;
  for (const TokenSequence& sequence : probe) {
    const TokenSequence* one = &sequence;
    TokenBatch batch =
        make_token_batch({&one, 1}, {.first_position = model.facts().first_position});
    Variable outputs = learner_logits(context, learner, model, batch);
    if (learner.layer == OutputLayer::kNextToken)
      outputs = model.next_token_logits(context, outputs);
    Tensor logits = outputs.value();
    const auto* data = logits.data<float>();
    values.insert(values.end(), data, data + logits.count());
  }
  return values;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double difference = std::fabs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

bool asks_for_tokens(const Learner& learner) {
  return learner.layer == OutputLayer::kMaskedLm || learner.layer == OutputLayer::kNextToken;
}

void ask_for_all(std::vector<TokenSequence>& probe) {
  for (TokenSequence& sequence : probe) {
    sequence.asked.resize(sequence.ids.size());
    std::iota(sequence.asked.begin(), sequence.asked.end(), 0);
  }
}

// As far as logits need it: no task.
Learner probed_learner(const std::shared_ptr<const Model>& model, LoadedAdapter loaded) {
  Learner learner;
  learner.model = model;
  learner.adapter = std::move(loaded.adapter);
  learner.head = std::move(loaded.head);
  const std::string& task = loaded.label.task;
  learner.layer = learner.head != nullptr ? OutputLayer::kHead
                  : task.empty()          ? OutputLayer::kPooling
                                          : find_task(task).layer;
  return learner;
}

}  // namespace

std::vector<TokenSequence> probe_sequences(const BaseFacts& base, const ProbeTexts& texts,
                                           int64_t limit) {
  if (texts.data == nullptr) return drawn_sequences(base, limit);
  require(!base.images, ErrorKind::kUsage,
          "texts were given to compare on, and the base reads images; leave them out");
  std::vector<EncodedExample> encoded = encode_examples(
      *texts.data, *texts.tokenizer, base, longest_input(*texts.tokenizer, base, 0, 0));
  encoded.resize(std::min(encoded.size(), static_cast<std::size_t>(limit)));
  std::vector<TokenSequence> rows;
  rows.reserve(encoded.size());
  for (EncodedExample& example : encoded) rows.push_back(std::move(example.tokens));
  return rows;
}

LogitDifference compare_merged(const Learner& learner, std::shared_ptr<const Model> merged,
                               const std::vector<TokenSequence>& probe, DType compute) {
  std::vector<TokenSequence> asked = probe;
  if (asks_for_tokens(learner)) ask_for_all(asked);
  std::vector<double> plain = logits_of(learner, *learner.model, false, asked, compute);
  std::vector<double> expected = logits_of(learner, *learner.model, true, asked, compute);
  std::vector<double> found = logits_of(learner, *merged, false, asked, compute);
  LogitDifference difference{.compute = compute, .values = static_cast<int64_t>(found.size())};
  difference.max = largest_difference(expected, found);
  for (std::size_t i = 0; i < found.size(); ++i)
    difference.mean += std::fabs(expected[i] - found[i]) / static_cast<double>(found.size());
  difference.effect = largest_difference(expected, plain);
  return difference;
}

namespace {

// In F32 and BF16.
std::vector<LogitDifference> differences_to(const Learner& learner,
                                            const std::shared_ptr<const Model>& merged,
                                            const std::vector<TokenSequence>& probe) {
  std::vector<LogitDifference> differences;
  for (DType compute : {DType::kF32, DType::kBF16})
    differences.push_back(compare_merged(learner, merged, probe, compute));
  return differences;
}

}  // namespace

MergeReport merge_model(const MergeRequest& request) {
  bool quantised = quantisation_named(request.quantise).has_value();
  auto model = load_base_for(request.model, request.adapter, "");
  LoadedAdapter loaded = load_adapter(request.adapter, model->facts());
  std::vector<TokenSequence> probe = probe_sequences(model->facts(), request.texts);
  StagedFolder staged(request.out, StagedFolder::kRefuse);
  MergedFolder written =
      write_merged_folder(staged.path(), loaded, model->facts(), model->checkpoint());
  auto merged = load_base_for(staged.path(), request.adapter, "");
  MergeReport report{.root_hash = merged->facts().root_hash,
                     .tensors = written.tensors,
                     .changed = written.changed};
  if (loaded.head != nullptr) {
    report.head = written.huggingface_head ? loaded.head->layout().output : "head/";
    save_adapter(staged.path() / "head", {nullptr, loaded.head.get(), loaded.label},
                 merged->facts());
  }
  report.differences = differences_to(probed_learner(model, std::move(loaded)), merged, probe);
  if (quantised) {
    auto base = load_base_for(request.model, request.adapter, "", request.quantise);
    report.quantised_differences = differences_to(
        probed_learner(base, load_adapter(request.adapter, base->facts())), merged, probe);
  }
  staged.place();
  return report;
}

}  // namespace inlay
