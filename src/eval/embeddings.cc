#include "eval/embeddings.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/normalise_rows.h"

namespace inlay {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += double{a[c]} * double{b[c]};
  return sum;
}

// A vector of length 1, and the text that it stands for.
struct Unit {
  std::vector<float> values;
  const std::string* text;
};

Unit unit_of(std::span<const float> values, const std::string& text) {
  double length = std::max(kLeastLength, std::sqrt(dot(values, values)));
  Unit unit{{values.begin(), values.end()}, &text};
  for (float& value : unit.values) value = static_cast<float>(value / length);
  return unit;
}

}  // namespace

std::vector<std::span<const float>> embeddings_of(const ModelOutput& output) {
  std::size_t count = output.example->sequence_count(), width = output.values.size() / count;
  std::vector<std::span<const float>> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(output.values.data() + i * width, width);
  return all;
}

double similarity(std::span<const float> a, std::span<const float> b, Similarity kind) {
  if (kind == Similarity::kCosine) {
    double lengths =
        std::max(kLeastLength, std::sqrt(dot(a, a))) * std::max(kLeastLength, std::sqrt(dot(b, b)));
    return dot(a, b) / lengths;
  }
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    double difference = double{a[c]} - double{b[c]};
    sum += difference * difference;
  }
  return -std::sqrt(sum);
}

std::vector<float> pair_cosines(std::span<const ModelOutput> outputs) {
  std::vector<float> cosines;
  cosines.reserve(outputs.size());
  for (const ModelOutput& output : outputs) {
    std::vector<std::span<const float>> texts = embeddings_of(output);
    cosines.push_back(static_cast<float>(similarity(texts[0], texts[1], Similarity::kCosine)));
  }
  return cosines;
}

std::vector<int64_t> retrieval_ranks(std::span<const ModelOutput> outputs) {
  std::vector<Unit> anchors, candidates;
  std::vector<std::size_t> own;  // the candidate that goes with each anchor
  anchors.reserve(outputs.size());
  candidates.reserve(outputs.size());
  own.reserve(outputs.size());
  for (const ModelOutput& output : outputs) {
    const Example& source = *output.example->source;
    std::vector<std::span<const float>> texts = embeddings_of(output);
    anchors.push_back(unit_of(texts[0], source.text));
    own.push_back(candidates.size());
    candidates.push_back(unit_of(texts[1], source.text_pair));
    for (std::size_t i = 2; i < texts.size(); ++i)
      candidates.push_back(unit_of(texts[i], source.further[i - 2]));
  }
  std::vector<int64_t> ranks(anchors.size());
#pragma omp parallel for schedule(static)
  for (std::size_t a = 0; a < anchors.size(); ++a) {
    const Unit& right = candidates[own[a]];
    double wanted = dot(anchors[a].values, right.values);
    int64_t rank = 1;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      if (c == own[a] || *candidates[c].text == *right.text) continue;
      double found = dot(anchors[a].values, candidates[c].values);
      if (!(found < wanted)) ++rank;
    }
    ranks[a] = rank;
  }
  return ranks;
}

}  // namespace inlay
