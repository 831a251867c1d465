// Arguments of a call matched with the parameters of a function.
//
//   const Bound bound("indent", arguments, {"width", "first", "blank"});
//   int64_t width = bound.integer(0, 4);
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "text/chat/value.h"

namespace inlay::chat {

class Bound {
 public:
  // Too many arguments or one of an unknown name are an Error that names `function`.
  Bound(std::string_view function, const Arguments& arguments,
        std::initializer_list<std::string_view> parameters);

  bool has(std::size_t i) const { return values_[i].has_value(); }
  Value required(std::size_t i) const;
  Value value(std::size_t i, Value fallback) const { return values_[i].value_or(fallback); }
  int64_t integer(std::size_t i, int64_t fallback) const;
  bool flag(std::size_t i, bool fallback) const;
  // A string; what is missing or none is nothing.
  std::optional<Value> text(std::size_t i) const;
  Value required_text(std::size_t i) const;

 private:
  [[noreturn]] void fail_type(std::size_t i, const char* expected) const;

  std::string_view function_;
  std::vector<std::string_view> parameters_;
  std::vector<std::optional<Value>> values_;
};

}  // namespace inlay::chat
