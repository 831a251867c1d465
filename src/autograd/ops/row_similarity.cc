#include "autograd/ops/row_similarity.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "autograd/operands.h"

namespace inlay {
namespace {

constexpr double kLeastLength = 1e-8;

// The rows in double: sums of products are then the same whatever the type of x.
class Rows {
 public:
  explicit Rows(const Tensor& x) : width_(static_cast<std::size_t>(x.dim(1))) {
    values_.resize(static_cast<std::size_t>(x.count()));
    for (std::size_t i = 0; i < values_.size(); ++i)
      values_[i] = in(x).load<double>(static_cast<int64_t>(i));
  }
  double* row(int64_t r) { return values_.data() + static_cast<std::size_t>(r) * width_; }
  const double* row(int64_t r) const {
    return values_.data() + static_cast<std::size_t>(r) * width_;
  }
  std::size_t width() const { return width_; }
  void clear() { std::fill(values_.begin(), values_.end(), 0.0); }
  void store_into(Tensor& x) const {
    for (std::size_t i = 0; i < values_.size(); ++i)
      out(x).store(static_cast<int64_t>(i), values_[i]);
  }
  double dot(int64_t a, int64_t b) const {
    double sum = 0;
    for (std::size_t c = 0; c < width_; ++c) sum += row(a)[c] * row(b)[c];
    return sum;
  }
  double length(int64_t r) const { return std::max(kLeastLength, std::sqrt(dot(r, r))); }
  double distance(int64_t a, int64_t b) const {
    double sum = 0;
    for (std::size_t c = 0; c < width_; ++c) {
      double difference = row(a)[c] - row(b)[c];
      sum += difference * difference;
    }
    return std::sqrt(sum);
  }

 private:
  std::size_t width_;
  std::vector<double> values_;
};

std::vector<double> lengths_of(const Rows& x, int64_t rows) {
  std::vector<double> lengths(static_cast<std::size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) lengths[static_cast<std::size_t>(r)] = x.length(r);
  return lengths;
}

// s = a·b / (|a| |b|): ds/da = b / (|a| |b|) - s a / |a|^2, and the same with a and b exchanged.
void add_cosine_gradient(const Rows& x, const std::vector<double>& lengths,
                         std::pair<int64_t, int64_t> pair, double seed, Rows& grad) {
  auto [a, b] = pair;
  double of_a = lengths[static_cast<std::size_t>(a)], of_b = lengths[static_cast<std::size_t>(b)];
  double cosine = x.dot(a, b) / (of_a * of_b);
  for (auto [self, other, length] : {std::tuple(a, b, of_a), std::tuple(b, a, of_b)}) {
    // At the least length the divisor is a constant.
    double own = length > kLeastLength ? cosine / (length * length) : 0.0;
    for (std::size_t c = 0; c < x.width(); ++c)
      grad.row(self)[c] += seed * (x.row(other)[c] / (of_a * of_b) - own * x.row(self)[c]);
  }
}

// s = -|a - b|: ds/da = -(a - b) / |a - b| = -ds/db.
void add_distance_gradient(const Rows& x, std::pair<int64_t, int64_t> pair, double seed,
                           Rows& grad) {
  auto [a, b] = pair;
  double distance = x.distance(a, b);
  if (distance == 0) return;
  for (std::size_t c = 0; c < x.width(); ++c) {
    double slope = seed * (x.row(b)[c] - x.row(a)[c]) / distance;
    grad.row(a)[c] += slope;
    grad.row(b)[c] -= slope;
  }
}

}  // namespace

Variable row_similarity(OpContext& context, const Variable& x, Similarity kind,
                        const RowPairs& pairs, const RowSpace* rows) {
  auto count = static_cast<int64_t>(pairs.size());
  ensure(rows->rows() == count, "{} pairs of rows in a space of {}", count, rows->rows());
  Rows values(x.value());
  std::vector<double> lengths = lengths_of(values, x.rows());
  Tensor y = context.tape.empty({count, 1}, context.dtype(Precision::kFull));
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    auto [a, b] = pairs[static_cast<std::size_t>(i)];
    double similarity = kind == Similarity::kEuclidean
                            ? -values.distance(a, b)
                            : values.dot(a, b) / (lengths[static_cast<std::size_t>(a)] *
                                                  lengths[static_cast<std::size_t>(b)]);
    out(y).store(i, similarity);
  }
  // One thread, in the order of the pairs: a row may be in many.
  return context.tape.record(
      std::move(y), rows, x.requires_grad(),
      [slot = x.slot(), kept = x.value(), kind, &pairs](Tape& tape, const Tensor& grad_y) {
        Rows values(kept), grad(kept);
        grad.clear();
        std::vector<double> lengths = lengths_of(values, kept.dim(0));
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          double seed = in(grad_y).load<double>(static_cast<int64_t>(i));
          if (seed == 0) continue;
          if (kind == Similarity::kCosine) {
            add_cosine_gradient(values, lengths, pairs[i], seed, grad);
          } else {
            add_distance_gradient(values, pairs[i], seed, grad);
          }
        }
        Tensor grad_x = tape.empty_rows(kept.shape(), kept.dtype());
        grad.store_into(grad_x);
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
