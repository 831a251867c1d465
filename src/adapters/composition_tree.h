// Several adapters as one, written as text:
//
//   stack(a, b)             b on what a gives, as one after the other
//   fuse(a, b)              AdapterFusion: a trained attention over what each gives
//   average(a:0.3, b:0.7)   the weighted mean of what they give; equal weights without numbers
//   split(a:12, b)          a for the first 12 tokens of every text, b for the rest
//   parallel(a, b)          both in one pass, each with its own head; not one adapter, so it is
//                           for answers alone (eval/opened_learners.h)
//   drop(a, 0, 1)           a without its layers 0 and 1 (AdapterDrop)
//
// Operations nest; parallel stands outermost. A leaf is the name of an adapter at hand, or a method
// such as lora[r=4], which is trained anew. Saved, a leaf holds both: "@a=lora[r=4]" for a finished
// adapter, "a=lora[r=4]" for a trained one.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace inlay {

enum class Composing { kLeaf, kStack, kFuse, kAverage, kSplit, kParallel, kDrop };

struct CompositionNode {
  Composing what = Composing::kLeaf;
  std::string name;    // of a leaf
  std::string method;  // of a leaf, as parse_method() reads it; empty: an adapter at hand
  bool finished = false;
  std::vector<CompositionNode> children;
  // average: a weight for each child, of sum 1; split: tokens of each child but the last; drop:
  // layers.
  std::vector<double> numbers;
};

// Whether a text is a composition rather than a method: an operation's name and a parenthesis.
bool is_composition(const std::string& text);

// kUsage saying what was expected where.
CompositionNode parse_composition(const std::string& text);
std::string composition_text(const CompositionNode& node);

// The leaves from left to right.
std::vector<const CompositionNode*> leaves_of(const CompositionNode& node);

// AdapterHub's form of it: {"type": "Stack", "children": [{"type": "single", "children": ["a"]},
// ...], "kwargs": {...}}, the last where there are any. What it has no form for (drop) is refused
// by name.
Json adapterhub_setup(const CompositionNode& node);
// Whether there is such a form.
bool has_adapterhub_setup(const CompositionNode& node);
// kInput naming a type that is not implemented. Leaves have names alone.
CompositionNode composition_from_adapterhub(const Json& setup, const std::string& where);

}  // namespace inlay
