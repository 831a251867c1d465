// Several hooks at one site as one: each changes what those before it give.
#pragma once

#include <memory>
#include <vector>

#include "nn/site.h"

namespace inlay {

using Hooks = std::vector<std::unique_ptr<SiteHook>>;

// Null for no hooks, the hook itself for one. kUsage naming the site when two of them replace its
// tensors or set virtual tokens.
std::unique_ptr<SiteHook> make_stack_hook(const Site& site, Hooks hooks);

// Whether a hook has tensors of its own for the site's.
bool replaces_tensors(SiteHook& hook);

}  // namespace inlay
