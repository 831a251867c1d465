#include "text/chat/syntax.h"

#include <algorithm>

namespace inlay::chat {
namespace {

// The height of a syntax tree from those of its parts.
class Height {
 public:
  int value() const { return value_; }

  void over(const ExpressionPtr& part) {
    if (part) value_ = std::max(value_, part->height);
  }
  void over(const std::vector<ExpressionPtr>& parts) {
    for (const ExpressionPtr& part : parts) over(part);
  }
  void over(const CallArguments& arguments) {
    over(arguments.positional);
    for (const auto& [name, value] : arguments.named) over(value);
  }

  void operator()(const Literal& /*node*/) {}
  void operator()(const Name& /*node*/) {}
  void operator()(const ListDisplay& node) { over(node.items); }
  void operator()(const DictDisplay& node) {
    for (const auto& [key, value] : node.entries) {
      over(key);
      over(value);
    }
  }
  void operator()(const Attribute& node) { over(node.object); }
  void operator()(const Subscript& node) {
    over(node.object);
    over(node.index);
  }
  void operator()(const Slice& node) {
    over(node.object);
    over(node.start);
    over(node.stop);
    over(node.step);
  }
  void operator()(const Call& node) {
    over(node.callee);
    over(node.arguments);
  }
  void operator()(const FilterCall& node) {
    over(node.subject);
    over(node.arguments);
  }
  void operator()(const TestCall& node) {
    over(node.subject);
    over(node.arguments);
  }
  void operator()(const Unary& node) { over(node.operand); }
  void operator()(const Binary& node) {
    over(node.left);
    over(node.right);
  }
  void operator()(const Concatenation& node) { over(node.parts); }
  void operator()(const Logical& node) { over(node.parts); }
  void operator()(const Comparisons& node) {
    over(node.first);
    for (const auto& [op, value] : node.rest) over(value);
  }
  void operator()(const Conditional& node) {
    over(node.condition);
    over(node.then);
    over(node.otherwise);
  }

 private:
  int value_ = 0;
};

}  // namespace

int height_below(const Expression& expression) {
  Height height;
  std::visit([&](const auto& node) { height(node); }, expression.node);
  return height.value();
}

}  // namespace inlay::chat
