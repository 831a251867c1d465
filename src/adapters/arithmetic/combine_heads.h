// Which head goes with an adapter that was made from several.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "adapters/storage.h"

namespace inlay {

struct HeadSource {
  std::string name;  // as the user named the adapter
  const LoadedAdapter* loaded;
};

struct ChosenHead {
  std::unique_ptr<Head> head;  // null: none
  HeadLabel label;
};

// `how` is "auto" (the only head, or one that all have bit for bit), "none", "average" (the mean of
// all heads, which must be of one task, with the same classes and layout) or the name of the
// adapter whose head to take. kUsage saying what to do where that does not determine a head.
ChosenHead choose_head(std::span<const HeadSource> sources, const std::string& how,
                       const BaseFacts& base);

}  // namespace inlay
