// Several methods as one adapter: "lora[r=4]|bottleneck". Each keeps its settings; its tensors are
// named "<method>.<part>", "<method>_2.<part>" where a method comes twice. At a place that several
// adapt, they apply in order, each to what those before it give.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/method.h"

namespace inlay {

// `texts`: a method each, as parse_method() reads it.
std::unique_ptr<Method> make_union(std::vector<std::string> texts);

struct UnionPart {
  ConfiguredMethod method;
  std::string name;  // "lora", "lora_2": its tensors are "<site>.<name>.<part>"
};
// The parts of a union; null where the method is none. They live as long as the method.
const std::vector<UnionPart>* union_parts(const Method& method);

}  // namespace inlay
