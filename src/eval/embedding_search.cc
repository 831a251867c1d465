#include "eval/embedding_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "autograd/ops/normalise_rows.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr std::size_t kBlock = 256;  // items that are compared with every query while they are near
constexpr std::size_t kLanes = 8;    // partial sums, which the compiler keeps in a vector

double dot(const float* a, const float* b, std::size_t width) {
  std::array<double, kLanes> sums{};
  std::size_t c = 0;
  for (; c + kLanes <= width; c += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += double{a[c + lane]} * double{b[c + lane]};
  }
  double sum = 0;
  for (double part : sums) sum += part;
  for (; c < width; ++c) sum += double{a[c]} * double{b[c]};
  return sum;
}

double length_of(const EmbeddingRows& rows, std::size_t index) {
  return std::max(kLeastLength, std::sqrt(dot(rows.row(index), rows.row(index), rows.width)));
}

void check_rows(const EmbeddingRows& rows, const char* what) {
  ensure(rows.width > 0 && rows.values.size() % rows.width == 0, "{} numbers in rows of {}",
         rows.values.size(), rows.width);
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    require(std::isfinite(rows.values[i]), ErrorKind::kInput,
            "the embedding of {} {} holds a number that is not finite; compute in f32", what,
            i / rows.width + 1);
  }
}

void keep_nearest(std::vector<Neighbour>& neighbours, std::size_t top) {
  auto end = neighbours.begin() + static_cast<std::ptrdiff_t>(std::min(top, neighbours.size()));
  std::partial_sort(
      neighbours.begin(), end, neighbours.end(), [](const Neighbour& a, const Neighbour& b) {
        return a.similarity != b.similarity ? a.similarity > b.similarity : a.item < b.item;
      });
  neighbours.erase(end, neighbours.end());
}

using Nearest = std::vector<std::vector<Neighbour>>;  // of each query

// Among the items of a range, [first, last).
Nearest nearest_of_block(const EmbeddingRows& items, std::pair<std::size_t, std::size_t> range,
                         const EmbeddingRows& queries, const std::vector<double>& query_lengths,
                         std::size_t top) {
  auto [first, last] = range;
  std::vector<double> lengths;
  lengths.reserve(last - first);
  for (std::size_t item = first; item < last; ++item) lengths.push_back(length_of(items, item));
  Nearest nearest;
  nearest.reserve(queries.count());
  std::vector<Neighbour> found;
  found.reserve(last - first);
  for (std::size_t query = 0; query < queries.count(); ++query) {
    found.clear();
    for (std::size_t item = first; item < last; ++item) {
      double product = dot(items.row(item), queries.row(query), items.width);
      found.push_back({item, product / (lengths[item - first] * query_lengths[query])});
    }
    keep_nearest(found, top);
    nearest.emplace_back(found.begin(), found.end());
  }
  return nearest;
}

}  // namespace

std::vector<std::vector<Neighbour>> nearest_items(const EmbeddingRows& items,
                                                  const EmbeddingRows& queries, std::size_t top) {
  check_rows(items, "item");
  check_rows(queries, "query");
  ensure(items.width == queries.width, "items of {} numbers, queries of {}", items.width,
         queries.width);
  std::vector<double> query_lengths;
  query_lengths.reserve(queries.count());
  for (std::size_t query = 0; query < queries.count(); ++query)
    query_lengths.push_back(length_of(queries, query));
  std::vector<Nearest> blocks((items.count() + kBlock - 1) / kBlock);
#pragma omp parallel for schedule(static)
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    std::size_t first = block * kBlock, last = std::min(first + kBlock, items.count());
    blocks[block] = nearest_of_block(items, {first, last}, queries, query_lengths, top);
  }
  Nearest nearest(queries.count());
  for (std::size_t query = 0; query < nearest.size(); ++query) {
    for (const Nearest& block : blocks)
      nearest[query].insert(nearest[query].end(), block[query].begin(), block[query].end());
    keep_nearest(nearest[query], top);
  }
  return nearest;
}

}  // namespace inlay
