// Training batches as a method may look at them before the first step. In the order of the first
// epoch, without dropout; nothing of validation or test parts.
#pragma once

#include <cstdint>

#include "nn/site.h"

namespace inlay {

class Calibration {
 public:
  virtual ~Calibration() = default;
  virtual int64_t batches() const = 0;
  // Runs a batch through base, head and these hooks alone.
  virtual void forward(int64_t batch, SiteHooks& hooks) = 0;
  // The same with the loss, and back: gradients arrive in the parameters that the hooks use.
  virtual void backward(int64_t batch, SiteHooks& hooks) = 0;
};

}  // namespace inlay
