// The methods that the contracts ask, in their settings, on the families.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "families.h"

namespace inlay {

struct MethodCase {
  const Family* family;
  std::string method;  // as parse_method() reads it
  bool first = false;  // of the cases of this method
};

// The family's tiny model, loaded once.
std::shared_ptr<const Model> tiny_model(const Family& family);

// Methods that no base of texts has places for.
std::vector<std::string> methods_of_images();
// Settings that are asked on bases of images alone.
std::vector<std::string> texts_of_images();

// Every method's own example, and settings that take another path through it, on every family that
// has places for them.
std::vector<MethodCase> all_method_cases();
std::string method_case_name(const testing::TestParamInfo<MethodCase>& info);

}  // namespace inlay
