// What the tasks over sentence embeddings have in common: the vectors of an example's texts, and
// how alike they are.
#pragma once

#include <span>
#include <vector>

#include "autograd/ops/row_similarity.h"
#include "eval/task.h"

namespace inlay {

// The vectors of an example's texts, in order, from the outputs of OutputLayer::kPooling.
std::vector<std::span<const float>> embeddings_of(const ModelOutput& output);

// As row_similarity(), in double.
double similarity(std::span<const float> a, std::span<const float> b, Similarity kind);

// Of the first two texts of each example.
std::vector<float> pair_cosines(std::span<const ModelOutput> outputs);

// The best rank, from 1, of each anchor's own text among all second and further texts of the
// outputs, by cosine. Ties count against it; the same text again does not count at all.
std::vector<int64_t> retrieval_ranks(std::span<const ModelOutput> outputs);

}  // namespace inlay
