// The settings of another library's configuration file: which of them are read, which say nothing
// about trained values, and which change the mathematics in a way that is not implemented and are
// therefore refused by name.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace inlay {

struct ForeignKey {
  enum class Meaning {
    kRead,      // taken over
    kNoMatter,  // says nothing about trained values
    kFixed,     // another value than the library's default is refused
  };
  const char* name;
  Json value;  // the library's default
  Meaning meaning;
};

// An object with every key at its default.
Json foreign_defaults(const std::vector<ForeignKey>& keys);

// kInput naming the first key that is refused. An unknown key is, unless it is null, false or
// empty.
void check_foreign_keys(const Json& config, const std::vector<ForeignKey>& keys,
                        const std::string& where);

// Whole numbers without a fraction, as Python writes an int.
Json plain_number(double value);

}  // namespace inlay
