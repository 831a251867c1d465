#include "nn/cosine_output.h"

#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/divide_by_lengths.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/normalise_rows.h"

namespace inlay {

Variable cosine_output(OpContext& context, const Variable& features, Parameter& weight) {
  Variable unit = normalise_rows(context, features);
  Variable products = linear(context, unit, {.weight = &weight}, Precision::kFull);
  return join_channels(context, unit, divide_by_lengths(context, products, weight));
}

}  // namespace inlay
