#include "models/image_model.h"

#include <utility>

namespace inlay {
namespace {

Variable pixels_of(Context& context, const TokenBatch& batch) {
  require(batch.pixels.defined(), ErrorKind::kUsage, "this base reads images, and was given texts");
  DType full = context.dtype(Precision::kFull);
  Tensor pixels =
      batch.pixels.dtype() == full ? batch.pixels : batch.pixels.to(full, &context.arena);
  return context.tape.constant(std::move(pixels), &batch.tokens);
}

}  // namespace

Variable ImageModel::encode(Context& context, const TokenBatch& batch) const {
  context.begin_forward();
  return run_layers(context, pixels_of(context, batch));
}

std::vector<Variable> ImageModel::encode_several(Context& context,
                                                 std::span<const AdaptedBatch> asked,
                                                 SharedWork& work) const {
  context.begin_forward();
  context.segments.clear();
  std::vector<Variable> outputs;
  outputs.reserve(asked.size());
  for (const AdaptedBatch& one : asked) {
    context.adapters = one.adapters;
    outputs.push_back(run_layers(context, pixels_of(context, *one.batch)));
    int64_t rows = one.batch->example_count() * facts().layers;
    work.computed += rows;
    work.alone += rows;
  }
  context.adapters.clear();
  return outputs;
}

}  // namespace inlay
