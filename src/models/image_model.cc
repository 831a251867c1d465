#include "models/image_model.h"

#include <utility>

#include "autograd/ops/activation.h"

namespace inlay {
namespace {

Variable pixels_of(Context& context, const TokenBatch& batch) {
  require(batch.pixels.defined(), ErrorKind::kUsage, "this base reads images, and was given texts");
  DType full = context.dtype(Precision::kFull);
  Tensor pixels =
      batch.pixels.dtype() == full ? batch.pixels : batch.pixels.to(full, &context.arena);
  return context.tape.constant(std::move(pixels), &batch.tokens);
}

// What heads and embeddings read.
Variable in_full_precision(Context& context, Variable x) {
  if (x.dtype() == context.dtype(Precision::kFull)) return x;
  return activation(context, x, Activation::kIdentity, Precision::kFull);
}

}  // namespace

Variable ImageModel::run_layers(Context& context, Variable x, int64_t first, int64_t last) const {
  for (int64_t number = first; number < last; ++number)
    x = run_layer(context, number, std::move(x));
  return x;
}

Variable ImageModel::encode_first(Context& context, const TokenBatch& batch, int64_t layers) const {
  context.begin_forward();
  return run_layers(context, embed(context, pixels_of(context, batch)), 0, layers);
}

Variable ImageModel::encode_rest(Context& context, const TokenBatch& /*batch*/, Variable hidden,
                                 int64_t layers) const {
  Variable last = run_layers(context, std::move(hidden), layers, facts().layers);
  return in_full_precision(context, finish(context, std::move(last)));
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
    Variable x = embed(context, pixels_of(context, *one.batch));
    Variable last = run_layers(context, std::move(x), 0, facts().layers);
    outputs.push_back(in_full_precision(context, finish(context, std::move(last))));
    int64_t rows = one.batch->example_count() * facts().layers;
    work.computed += rows;
    work.alone += rows;
  }
  context.adapters.clear();
  return outputs;
}

}  // namespace inlay
