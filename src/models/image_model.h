// What bases that read images have in common.
#pragma once

#include <vector>

#include "models/model.h"

namespace inlay {

class ImageModel : public Model {
 public:
  Variable encode(Context& context, const TokenBatch& batch) const override;
  // One after the other: maps of several adapters share nothing.
  std::vector<Variable> encode_several(Context& context, std::span<const AdaptedBatch> asked,
                                       SharedWork& work) const override;

 protected:
  // `pixels` (places, 3), full precision -> the last layer's output: places of a map, or tokens.
  virtual Variable run_layers(Context& context, const Variable& pixels) const = 0;
};

}  // namespace inlay
