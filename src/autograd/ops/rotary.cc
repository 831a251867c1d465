#include "autograd/ops/rotary.h"

#include <algorithm>

#include "autograd/operands.h"
#include "tensor/kernels/rotary.h"

namespace inlay {

Variable rotary(OpContext& context, const Variable& x, int64_t heads, const RotaryTables& tables,
                const std::vector<int32_t>& positions) {
  int64_t head_dim = x.channels() / heads, turned = 2 * tables.cosine.dim(1);
  ensure(x.channels() == heads * head_dim && turned <= head_dim &&
             static_cast<int64_t>(positions.size()) == x.rows() &&
             tables.sine.shape() == tables.cosine.shape(),
         "{} channels of each of {} heads are turned in {}, at {} positions", turned, heads,
         x.shape().text(), positions.size());
  ensure(std::all_of(positions.begin(), positions.end(),
                     [&](int32_t p) { return p >= 0 && p < tables.cosine.dim(0); }),
         "a position is outside the {} of the tables", tables.cosine.dim(0));
  DType full = context.dtype(Precision::kFull);
  Tensor cosine = full == DType::kF64 ? tables.cosine.to(full) : tables.cosine;
  Tensor sine = full == DType::kF64 ? tables.sine.to(full) : tables.sine;
  kernels::Rotary args{.rows = x.rows(),
                       .heads = heads,
                       .head_dim = head_dim,
                       .turned = turned,
                       .positions = positions.data(),
                       .cosine = in(cosine),
                       .sine = in(sine)};
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  kernels::rotary(args, in(x.value()), out(y));
  return context.tape.record(std::move(y), x.row_space(), x.requires_grad(),
                             [args, cosine, sine, slot = x.slot()](Tape& tape, const Tensor& grad) {
                               kernels::Rotary back = args;
                               back.inverse = true;
                               Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                               kernels::rotary(back, in(grad), out(grad_x));
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace inlay
