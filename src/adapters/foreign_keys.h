// The settings of another library's configuration file: which of them are read, which say nothing
// about trained values, and which change the mathematics in a way that is not implemented and are
// therefore refused by name.
#pragma once

#include <string>
#include <utility>
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

// A key as the table of a method's form has it (peft_form.h, adapterhub_form.h).
struct FormKey {
  enum Meaning {
    kNoMatter,   // says nothing about trained values
    kUnwritten,  // the same, of a key that only some versions know: read, never written
    kFixed,      // another value than the default changes the mathematics and is refused by name
    kCustom,     // the form's `write` and `read` deal with it
  };
  // A field of ours with the same meaning and type.
  FormKey(const char* key, Json value, const char* of_ours)
      : name(key), standard(std::move(value)), field(of_ours), meaning(kCustom) {}
  FormKey(const char* key, Json value, Meaning what)
      : name(key), standard(std::move(value)), meaning(what) {}

  const char* name;
  Json standard;  // the library's default
  const char* field = nullptr;
  Meaning meaning;
};
std::vector<ForeignKey> foreign_keys(const std::vector<FormKey>& keys);

// A whole number is written as the library writes its default: 16 where that is 8, 0.0 where that
// is 0.0.
Json as_standard(const FormKey& key, const Json& value);

// An object with every key at its default.
Json foreign_defaults(const std::vector<ForeignKey>& keys);

// kInput naming the first key that is refused. An unknown key is, unless it is null, false or
// empty.
void check_foreign_keys(const Json& config, const std::vector<ForeignKey>& keys,
                        const std::string& where);

// Whole numbers without a fraction, as Python writes an int.
Json plain_number(double value);

}  // namespace inlay
