#include "autograd/ops/halves.h"

#include <utility>

#include "autograd/operands.h"
#include "tensor/kernels/halves.h"

namespace inlay {

Variable combine_halves(OpContext& context, const Variable& x, int64_t block, double sign) {
  ensure(block % 2 == 0 && x.channels() % block == 0, "halves of blocks of {} of {} channels",
         block, x.channels());
  kernels::Halves halves{x.rows(), x.channels(), block};
  Tensor y =
      context.tape.empty_rows({x.rows(), x.channels() / 2}, context.dtype(Precision::kCompute));
  kernels::combine_halves(in(x.value()), sign, halves, out(y));
  return context.tape.record(std::move(y), x.row_space(), x.requires_grad(),
                             [halves, sign, slot = x.slot()](Tape& tape, const Tensor& dy) {
                               Tensor dx = tape.empty_rows(slot->shape, slot->dtype);
                               kernels::Input none;
                               kernels::spread_halves(sign > 0 ? in(dy) : none,
                                                      sign > 0 ? none : in(dy), halves, out(dx));
                               tape.accumulate(slot, std::move(dx));
                             });
}

Variable join_halves(OpContext& context, const Variable& sums, const Variable& differences,
                     int64_t block) {
  ensure(sums.shape() == differences.shape(), "sums {} and differences {} of halves",
         sums.shape().text(), differences.shape().text());
  kernels::Halves halves{sums.rows(), 2 * sums.channels(), block, 0.5};
  Tensor y =
      context.tape.empty_rows({halves.rows, halves.channels}, context.dtype(Precision::kFull));
  kernels::spread_halves(in(sums.value()), in(differences.value()), halves, out(y));
  return context.tape.record(
      std::move(y), sums.row_space(), sums.requires_grad() || differences.requires_grad(),
      [halves, sums_slot = sums.slot(), differences_slot = differences.slot()](Tape& tape,
                                                                               const Tensor& dy) {
        for (auto [slot, sign] : {std::pair(sums_slot, 1.0), std::pair(differences_slot, -1.0)}) {
          if (slot == nullptr) continue;
          Tensor grad = tape.empty_rows(slot->shape, slot->dtype);
          kernels::combine_halves(in(dy), sign, halves, out(grad));
          tape.accumulate(slot, std::move(grad));
        }
      });
}

}  // namespace inlay
