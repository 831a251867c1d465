// Which embeddings are most like others: the exact answer, by comparing all with all.
//
//   auto found = nearest_items({items, 384}, {queries, 384}, 5);
//   found[0][0].item, found[0][0].similarity   // the nearest to the first query
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace inlay {

// (n, width), row after row.
struct EmbeddingRows {
  std::span<const float> values;
  std::size_t width = 0;

  std::size_t count() const { return values.size() / width; }
  const float* row(std::size_t index) const { return values.data() + index * width; }
};

struct Neighbour {
  std::size_t item = 0;
  double similarity = 0;  // cosine; lengths below 1e-8 count as 1e-8
};

// Of each query the `top` items (all, where there are fewer), the most similar first; of equally
// similar ones that with the lower number. Bits do not depend on threads or on the other rows.
// kInput where a number is not finite. REQUIRES: rows of one width, not 0.
std::vector<std::vector<Neighbour>> nearest_items(const EmbeddingRows& items,
                                                  const EmbeddingRows& queries, std::size_t top);

}  // namespace inlay
