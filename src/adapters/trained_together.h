// Which methods can be trained as one of several in an adapter: those that need nothing of the
// trainer but gradients.
#pragma once

#include "adapters/method.h"

namespace inlay {

// kUsage naming the method, and what to do instead, where it looks at data first, prunes, changes
// gradients or rates, or is kept in another form than it is trained in: none of that is passed on
// to the parts of a union or composition.
void require_trained_together(const ConfiguredMethod& method);

}  // namespace inlay
