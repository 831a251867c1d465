#include "autograd/ops/map_pooling.h"

#include <utility>

#include "autograd/operands.h"
#include "autograd/ops/conv.h"

namespace inlay {
namespace {

kernels::PooledMaps pooled_maps(const Variable& x, const MapPooling& pooling,
                                const RowSpace& places) {
  const RowSpace& rows = *x.row_space();
  ensure(rows.map.places() > 0 && rows.before_map == 0 &&
             x.rows() == rows.examples() * rows.map.places(),
         "{} rows of {} examples are no maps of {} x {}", x.rows(), rows.examples(),
         rows.map.height, rows.map.width);
  MapSize output = pooling.output(rows.map);
  ensure(places.map == output && places.examples() == rows.examples(),
         "{} maps of {} x {} where pooling gives {} of {} x {}", places.examples(),
         places.map.height, places.map.width, rows.examples(), output.height, output.width);
  return {.geometry = {.input_height = rows.map.height,
                       .input_width = rows.map.width,
                       .output_height = output.height,
                       .output_width = output.width,
                       .kernel_height = pooling.kernel,
                       .kernel_width = pooling.kernel,
                       .stride_height = pooling.stride,
                       .stride_width = pooling.stride,
                       .top = pooling.padding,
                       .left = pooling.padding},
          .maps = rows.examples(),
          .channels = x.channels()};
}

}  // namespace

MapSize MapPooling::output(MapSize input) const {
  require(padding < kernel, ErrorKind::kInput,
          "a pooling window of {} has a padding of {}, expected less than the window", kernel,
          padding);
  ConvShape window{.in = 1,
                   .out = 1,
                   .kernel_height = kernel,
                   .kernel_width = kernel,
                   .stride_height = stride,
                   .stride_width = stride,
                   .padding = {padding, padding, padding, padding}};
  return window.output(input);
}

Variable max_pool(OpContext& context, const Variable& x, const MapPooling& pooling,
                  const RowSpace* places) {
  Tape& tape = context.tape;
  kernels::PooledMaps maps = pooled_maps(x, pooling, *places);
  Shape shape{places->rows(), x.channels()};
  Tensor y = tape.empty_rows(shape, x.dtype());
  bool records = tape.recording() && x.requires_grad();
  Tensor winners = records ? tape.empty(shape, DType::kI32) : Tensor();
  kernels::max_pool_forward(maps, in(x.value()), out(y),
                            records ? winners.mutable_data<int32_t>() : nullptr);
  return tape.record(std::move(y), places, x.requires_grad(),
                     [slot = x.slot(), maps, winners](Tape& tape, const Tensor& grad_y) {
                       Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                       kernels::max_pool_backward(maps, in(grad_y), winners.data<int32_t>(),
                                                  out(grad_x));
                       tape.accumulate(slot, std::move(grad_x));
                     });
}

Variable average_pool(OpContext& context, const Variable& x, const MapPooling& pooling,
                      PoolDivisor divisor, const RowSpace* places) {
  kernels::PooledMaps maps = pooled_maps(x, pooling, *places);
  Tensor y = context.tape.empty_rows({places->rows(), x.channels()}, x.dtype());
  kernels::average_pool_forward(maps, divisor, in(x.value()), out(y));
  return context.tape.record(std::move(y), places, x.requires_grad(),
                             [slot = x.slot(), maps, divisor](Tape& tape, const Tensor& grad_y) {
                               Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                               kernels::average_pool_backward(maps, divisor, in(grad_y),
                                                              out(grad_x));
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

}  // namespace inlay
