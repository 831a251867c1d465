// What bases that read images have in common.
#pragma once

#include <vector>

#include "models/model.h"

namespace inlay {

class ImageModel : public Model {
 public:
  Variable encode_first(Context& context, const TokenBatch& batch, int64_t layers) const override;
  Variable encode_rest(Context& context, const TokenBatch& batch, Variable hidden,
                       int64_t layers) const override;
  // One after the other: maps of several adapters share nothing.
  std::vector<Variable> encode_several(Context& context, std::span<const AdaptedBatch> asked,
                                       SharedWork& work) const override;

 protected:
  // `pixels` (places, 3), full precision -> what the first layer reads: places of a map, or tokens.
  virtual Variable embed(Context& context, const Variable& pixels) const = 0;
  virtual Variable run_layer(Context& context, int64_t number, Variable x) const = 0;
  // What follows the last layer.
  virtual Variable finish(Context& /*context*/, Variable x) const { return x; }

 private:
  Variable run_layers(Context& context, Variable x, int64_t first, int64_t last) const;
};

}  // namespace inlay
