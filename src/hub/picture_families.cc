#include "hub/picture_families.h"

#include <algorithm>
#include <array>

namespace inlay {
namespace {

constexpr std::array<std::string_view, 46> kVariants = {
    "red",    "green",    "blue",     "yellow", "white",  "black", "brown", "pink",
    "orange", "purple",   "golden",   "silver", "grey",   "gray",  "left",  "right",
    "front",  "back",     "side",     "top",    "new",    "old",   "open",  "closed",
    "large",  "small",    "little",   "big",    "full",   "half",  "whole", "sliced",
    "stand",  "standing", "sitting",  "flying", "eating", "baby",  "in",    "out",
    "photo",  "outline",  "outlined", "filled", "mirror", "alt"};

bool is_variant(std::string_view word) {
  return word.size() == 1 || std::find(kVariants.begin(), kVariants.end(), word) != kVariants.end();
}

std::string_view without_digits(std::string_view name) {
  std::size_t last = name.find_last_not_of("0123456789");
  return name.substr(0, last == name.npos ? 0 : last + 1);
}

std::string_view without_separators(std::string_view name) {
  std::size_t last = name.find_last_not_of("-_");
  return name.substr(0, last == name.npos ? 0 : last + 1);
}

// Without one variant at the end; the same where there is none.
std::string_view shortened(std::string_view name) {
  std::string_view bare = without_separators(without_digits(name));
  if (bare.size() < name.size()) return bare;
  std::size_t separator = name.find_last_of("-_");
  bool variant = separator != name.npos && is_variant(name.substr(separator + 1));
  return variant ? without_separators(name.substr(0, separator)) : name;
}

}  // namespace

std::string picture_family(std::string_view path) {
  std::size_t begin = path.rfind('/') + 1;  // npos + 1 is 0: no folder
  std::string name(path.substr(begin, path.rfind('.') - begin));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view family = name;
  for (std::string_view next = shortened(family); !next.empty() && next != family;
       next = shortened(family))
    family = next;
  return std::string(path.substr(0, begin)) + std::string(family);
}

}  // namespace inlay
