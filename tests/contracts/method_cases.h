// The methods that the contracts ask, in their settings, on the families.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "families.h"

namespace inlay {

struct MethodCase {
  const Family* family;
  std::string method;  // as parse_method() reads it
};

// Every method's own example, and settings that take another path through it, on every family that
// has places for them.
std::vector<MethodCase> all_method_cases();
std::string method_case_name(const testing::TestParamInfo<MethodCase>& info);

}  // namespace inlay
