#include "adapters/trained_together.h"

namespace inlay {

void require_trained_together(const ConfiguredMethod& method) {
  require(method.method->trains_together(), ErrorKind::kUsage,
          "{} with these settings needs more of training than gradients, which it does not get as "
          "one of several methods; train it alone, and compose the finished adapter",
          method.info->name);
}

}  // namespace inlay
