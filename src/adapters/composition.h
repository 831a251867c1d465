// A composition of adapters (composition_tree.h) as one adapter: what is finished in it is copied
// and fixed, what is not is trained, and saving, loading, gates, merging work as for any other.
//
//   auto mixed = compose("mixed", "fuse(amazon, yelp)", {{"amazon", &a}, {"yelp", &b}}, facts, 1);
#pragma once

#include <map>
#include <memory>
#include <string>

#include "adapters/adapter.h"
#include "adapters/composition_tree.h"

namespace inlay {

using AdaptersAtHand = std::map<std::string, const Adapter*>;

// kUsage where a leaf is neither at hand nor a method, naming what is.
std::unique_ptr<Adapter> compose(const std::string& name, const std::string& text,
                                 const AdaptersAtHand& at_hand, const BaseFacts& base,
                                 uint64_t seed);

// The method of a composition whose leaves all have methods.
std::unique_ptr<Method> make_composition(const CompositionNode& node);

// The composition of an adapter; null where it is none.
const CompositionNode* composition_of(const Adapter& adapter);

}  // namespace inlay
