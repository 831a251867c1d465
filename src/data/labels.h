// The classes of a data set: their order, and the class of a label. Without an explicit order the
// classes are sorted, by value when every label is an integer and bytewise otherwise, so the order
// does not depend on the rows' order.
//
//   LabelList labels = LabelList::of({"neg", "pos", "neg"});   // neg = 0, pos = 1
//   LabelList model = LabelList::ordered({"NEGATIVE", "POSITIVE"});
//   model.find("1");                                           // 1: an index is understood when no
//   name is a number
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

class LabelList {
 public:
  static LabelList of(const std::vector<std::string>& labels);
  // In the given order, as from a model's id2label; fails when a name repeats.
  static LabelList ordered(std::vector<std::string> names);

  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return names_.size(); }
  std::optional<std::int32_t> find(std::string_view label) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> index_;
  bool indices_allowed_ = false;
};

}  // namespace inlay
