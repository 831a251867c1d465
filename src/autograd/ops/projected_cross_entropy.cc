#include "autograd/ops/projected_cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/loss_seed.h"
#include "autograd/operands.h"
#include "autograd/ops/losses.h"
#include "tensor/kernels/activation.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/matmul_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/running_softmax.h"

namespace inlay {

namespace {

// piece(first, last) for each piece of a vocabulary.
template <class Piece>
void each_piece(int64_t vocabulary, int64_t piece_rows, const Piece& piece) {
  ensure(piece_rows > 0, "pieces of {} rows", piece_rows);
  for (int64_t first = 0; first < vocabulary; first += piece_rows)
    piece(first, std::min(first + piece_rows, vocabulary));
}

}  // namespace

VocabularyProjection::VocabularyProjection(const Tensor& weight, int64_t piece_rows,
                                           const std::function<void()>& after_packing)
    : weight_(weight), vocabulary_(weight.dim(0)), hidden_(weight.dim(1)) {
  ensure(weight.shape().rank() == 2, "a vocabulary's weight of shape {}", weight.shape().text());
  each_piece(vocabulary_, piece_rows, [&](int64_t first, int64_t last) {
    pieces_.emplace_back(weight.rows(first, last), Tensor(), onednn::Layout::kOutIn, after_packing);
  });
}

VocabularyProjection::VocabularyProjection(const QuantisedMatrix& weight, int64_t piece_rows)
    : quantised_(weight), vocabulary_(weight.rows()), hidden_(weight.columns()) {
  each_piece(vocabulary_, piece_rows, [&](int64_t first, int64_t last) {
    pieces_.emplace_back(weight.slice(first, last), Tensor());
  });
}

kernels::Input VocabularyProjection::row(int64_t number, std::span<float> room) const {
  if (!quantised_) return in(weight_.rows(number, number + 1));
  quantised_->dequantise_rows(number, number + 1, room.data());
  return room.data();
}

namespace {

// What is asked of a pass.
struct Question {
  const VocabularyProjection& projection;
  const std::vector<int32_t>& targets;
  ProjectedCrossEntropyOptions options;
};

// What one pass over the vocabulary leaves: the running softmax of every row, the logits of the
// targets, and sum_c weight_c W_c, which the gradient is made of. Logits are capped ones.
struct Pass {
  Tensor largest, sum, at_target, weighted;
};

enum class Direction { kToLogits, kToHidden };

// dst = src W^T, or src W.
void times_piece(OpContext& context, const Tensor& src, const FrozenWeight& piece,
                 Direction direction, const Tensor& dst) {
  bool to_logits = direction == Direction::kToLogits;
  context.useful_flops += 2.0 * static_cast<double>(src.dim(0)) * static_cast<double>(piece.in()) *
                          static_cast<double>(piece.out());
  if (context.compute == DType::kF64) {
    const auto* weight = piece.exact().data<double>();
    auto* product = dst.mutable_data<double>();
    if (to_logits) {
      kernels::matmul_reference_nt(src.data<double>(), weight, src.dim(0), piece.out(), piece.in(),
                                   product);
    } else {
      kernels::matmul_reference_nn(src.data<double>(), weight, src.dim(0), piece.in(), piece.out(),
                                   product);
    }
    return;
  }
  context.runtime.matmul({.src = src.raw(),
                          .rows = src.dim(0),
                          .spare_rows = std::min(src.spare_rows(), dst.spare_rows()),
                          .dst = dst.mutable_raw(),
                          .dst_dtype = dst.dtype()},
                         to_logits ? piece.forward(context.compute, context.weights)
                                   : piece.backward(context.compute, context.weights));
}

void keep_targets(const Tensor& logits, const std::vector<int32_t>& targets, int64_t first,
                  const Tensor& at_target) {
  for (int64_t row = 0; row < logits.dim(0); ++row) {
    int64_t place = targets[static_cast<std::size_t>(row)] - first;
    if (place < 0 || place >= logits.dim(1)) continue;
    out(at_target).store(row, in(logits).load<double>(row * logits.dim(1) + place));
  }
}

// By the steps that the running softmax takes, so that the loss of a sure target is 0.
void cap_targets(double cap, const Tensor& at_target) {
  int64_t rows = at_target.count();
  kernels::scale(in(at_target), 1 / cap, out(at_target), rows);
  kernels::activation_forward(kernels::Activation::kTanh, in(at_target), out(at_target), rows);
  kernels::scale(in(at_target), cap, out(at_target), rows);
}

Pass pass_over(OpContext& context, const Tensor& src, const Question& asked, bool records) {
  const VocabularyProjection& projection = asked.projection;
  Tape& tape = context.tape;
  DType full = context.dtype(Precision::kFull);
  int64_t rows = src.dim(0);
  Pass pass{tape.empty({rows}, full), tape.empty({rows}, full), tape.empty({rows}, full),
            records ? tape.empty({rows, projection.hidden()}, full) : Tensor()};
  for (int64_t row = 0; row < rows; ++row) {
    out(pass.largest).store(row, -std::numeric_limits<double>::infinity());
    out(pass.sum).store(row, 0.0);
    out(pass.at_target).store(row, 0.0);
  }
  Tensor factor = tape.empty({rows}, full);
  int64_t first = 0;
  for (const FrozenWeight& piece : projection.pieces()) {
    Tensor logits = tape.empty_rows({rows, piece.out()}, full);
    times_piece(context, src, piece, Direction::kToLogits, logits);
    keep_targets(logits, asked.targets, first, pass.at_target);
    Tensor weights =
        context.compute == full ? logits : tape.empty_rows(logits.shape(), context.compute);
    kernels::running_softmax({.rows = rows,
                              .classes = piece.out(),
                              .logits = in(logits),
                              .weights = out(weights),
                              .largest = out(pass.largest),
                              .sum = out(pass.sum),
                              .factor = out(factor),
                              .soft_cap = asked.options.soft_cap});
    if (records) {
      Tensor product = tape.empty_rows({rows, projection.hidden()}, full);
      times_piece(context, weights, piece, Direction::kToHidden, product);
      kernels::rescale_and_add(in(factor), in(product), out(pass.weighted), rows,
                               projection.hidden());
    }
    first += piece.out();
  }
  if (asked.options.soft_cap != 0) cap_targets(asked.options.soft_cap, pass.at_target);
  return pass;
}

// The slope of a cap at a logit that it gave.
double slope_at(double capped, double soft_cap) {
  if (soft_cap == 0) return 1;
  double tangent = capped / soft_cap;
  return 1 - tangent * tangent;
}

// d loss / d hidden = (sum_c p_c s_c W_c - s_target W_target) / normalizer with slopes s of the
// cap, in place of the weighted sum.
void finish_gradient(const Pass& pass, const Question& asked) {
  const VocabularyProjection& projection = asked.projection;
  kernels::Output grad = out(pass.weighted);
  kernels::Input weighted = in(pass.weighted);
  int64_t channels = projection.hidden();
  kernels::parallel_ranges(pass.weighted.dim(0), channels, [&](int64_t begin, int64_t end) {
    std::vector<float> room(static_cast<std::size_t>(channels));
    for (int64_t row = begin; row < end; ++row) {
      int32_t target = asked.targets[static_cast<std::size_t>(row)];
      bool counts = target != kIgnoredLabel;
      double share = counts ? 1 / in(pass.sum).load<double>(row) : 0;
      double slope = slope_at(in(pass.at_target).load<double>(row), asked.options.soft_cap);
      kernels::Input own = counts ? projection.row(target, room) : nullptr;
      for (int64_t c = 0; c < channels; ++c) {
        double mean = weighted.load<double>(row * channels + c) * share;
        double target_share = counts ? slope * own.load<double>(c) : 0;
        grad.store(row * channels + c, (mean - target_share) / asked.options.normalizer);
      }
    }
  });
}

}  // namespace

Variable projected_cross_entropy(OpContext& context, const Variable& hidden,
                                 const VocabularyProjection& projection,
                                 const std::vector<int32_t>& targets,
                                 const ProjectedCrossEntropyOptions& options) {
  ensure(static_cast<int64_t>(targets.size()) == hidden.rows() &&
             hidden.channels() == projection.hidden(),
         "{} targets for rows of {} before a projection of {} channels", targets.size(),
         hidden.shape().text(), projection.hidden());
  ensure(std::all_of(targets.begin(), targets.end(),
                     [&](int32_t target) {
                       return target == kIgnoredLabel ||
                              (target >= 0 && target < projection.vocabulary());
                     }),
         "a target is outside the vocabulary of {}", projection.vocabulary());
  Tape& tape = context.tape;
  bool records = tape.recording() && hidden.requires_grad();
  Tensor src = tape.value_as(hidden, context.compute);
  Question asked{projection, targets, options};
  Pass pass = pass_over(context, src, asked, records);
  Tensor losses = tape.empty({hidden.rows(), 1}, context.dtype(Precision::kFull));
  for (int64_t row = 0; row < hidden.rows(); ++row) {
    double loss = in(pass.largest).load<double>(row) + std::log(in(pass.sum).load<double>(row)) -
                  in(pass.at_target).load<double>(row);
    bool counts = targets[static_cast<std::size_t>(row)] != kIgnoredLabel;
    out(losses).store(row, counts ? loss / options.normalizer : 0.0);
  }
  if (records) finish_gradient(pass, asked);
  return tape.record(
      std::move(losses), hidden.row_space(), records,
      [slot = hidden.slot(), grad = pass.weighted](Tape& tape, const Tensor& grad_y) {
        Tensor dx = tape.empty_rows(slot->shape, slot->dtype);
        for_each_seed(grad_y, [&](int64_t first, int64_t last, double seed) {
          Tensor part = dx.rows(first, last);
          kernels::scale(in(grad.rows(first, last)), seed, out(part), part.count());
        });
        tape.accumulate(slot, std::move(dx));
      });
}

}  // namespace inlay
