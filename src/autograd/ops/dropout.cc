#include "autograd/ops/dropout.h"

#include "autograd/operands.h"
#include "base/random.h"
#include "tensor/kernels/dropout.h"

namespace inlay {

Variable dropout(OpContext& context, const Variable& x, double probability,
                 std::string_view stream) {
  if (!context.training || probability == 0.0) return x;
  const RowSpace& space = *x.row_space();
  ensure(probability > 0.0 && probability < 1.0 && space.rows() == x.rows(),
         "dropout with probability {} of {} rows in a space of {}", probability, x.rows(),
         space.rows());
  kernels::Dropout args{.rows = x.rows(),
                        .channels = x.channels(),
                        .example_place = space.example_place.data(),
                        .token_position = space.token_position.data(),
                        .key = Stream(context.seed, stream).key(),
                        .step = context.step,
                        .probability = probability};
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  kernels::dropout(args, in(x.value()), out(y));
  return context.tape.record(std::move(y), x.row_space(), x.requires_grad(),
                             [slot = x.slot(), args](Tape& tape, const Tensor& grad_y) {
                               Tensor grad_x = tape.empty_rows(grad_y.shape(), grad_y.dtype());
                               kernels::dropout(args, in(grad_y), out(grad_x));
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace inlay
