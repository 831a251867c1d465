// A parsed template: a tree of statements and expressions that the interpreter walks. Names of
// filters and tests are resolved already.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/chat/filters.h"
#include "text/chat/lexer.h"
#include "text/chat/value.h"
#include "text/chat/value_tests.h"

namespace inlay::chat {

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Literal {
  Value value;
};
struct Name {
  std::string name;
};
struct ListDisplay {  // [a, b] or (a, b)
  std::vector<ExpressionPtr> items;
  Flavour flavour;
};
struct DictDisplay {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
struct Attribute {  // object.name
  ExpressionPtr object;
  std::string name;
};
struct Subscript {  // object[index]
  ExpressionPtr object;
  ExpressionPtr index;
};
struct Slice {  // object[start:stop:step]; each may be null
  ExpressionPtr object;
  ExpressionPtr start;
  ExpressionPtr stop;
  ExpressionPtr step;
};
struct Call {
  ExpressionPtr callee;
  CallArguments arguments;
};
struct FilterCall {  // subject | filter(arguments); the subject of a filter block is null
  ExpressionPtr subject;
  const Filter* filter;
  CallArguments arguments;
};
struct TestCall {  // subject is [not] test(arguments)
  ExpressionPtr subject;
  const Test* test;
  CallArguments arguments;
  bool negated;
};
struct Unary {
  enum class Operator { kNot, kMinus, kPlus } op;
  ExpressionPtr operand;
};
enum class BinaryOperator { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
struct Binary {
  BinaryOperator op;
  ExpressionPtr left;
  ExpressionPtr right;
};
struct Concatenation {  // a ~ b ~ c
  std::vector<ExpressionPtr> parts;
};
struct Logical {  // a and b and c, or with `or`
  bool is_and;
  std::vector<ExpressionPtr> parts;
};
enum class Comparison {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};
struct Comparisons {  // a < b < c
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};
struct Conditional {  // then if condition else otherwise; `otherwise` may be null
  ExpressionPtr condition;
  ExpressionPtr then;
  ExpressionPtr otherwise;
};

struct Expression {
  Place place;
  std::variant<Literal, Name, ListDisplay, DictDisplay, Attribute, Subscript, Slice, Call,
               FilterCall, TestCall, Unary, Binary, Concatenation, Logical, Comparisons,
               Conditional>
      node;
  int height = 1;  // of the tree below, bounded when parsed
};

// The height of the tallest part of an expression; 0 when it has none.
int height_below(const Expression& expression);

struct Statement;
using Block = std::vector<Statement>;

// What an assignment or a loop assigns to: a name, a namespace's attribute, or a tuple of these.
struct Target {
  std::string name;
  std::string attribute;      // name.attribute when not empty
  std::vector<Target> tuple;  // when not empty, the two above are
};

struct Text {
  const MarkedText* text;
};
struct Print {
  ExpressionPtr value;
};
struct Branch {
  ExpressionPtr condition;  // null: else
  std::shared_ptr<const Block> body;
};
struct If {
  std::vector<Branch> branches;
};
struct For {
  Target target;
  ExpressionPtr items;
  ExpressionPtr condition;  // may be null
  bool recursive;
  std::shared_ptr<const Block> body;
  std::shared_ptr<const Block> otherwise;  // may be null
};
struct Set {
  Target target;
  ExpressionPtr value;
};
struct SetBlock {
  Target target;
  std::vector<ExpressionPtr> filters;  // FilterCalls without subject
  std::shared_ptr<const Block> body;
};
struct FilterBlock {
  std::vector<ExpressionPtr> filters;
  std::shared_ptr<const Block> body;
};
struct With {
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  std::shared_ptr<const Block> body;
};
struct MacroDefinition {
  std::string name;
  std::vector<std::pair<std::string, ExpressionPtr>> parameters;  // default value or null
  bool takes_varargs = false;
  bool takes_kwargs = false;
  bool takes_caller = false;
  std::shared_ptr<const Block> body;
};
struct Macro {
  std::shared_ptr<const MacroDefinition> definition;
};
struct CallBlock {
  ExpressionPtr call;  // a Call
  std::shared_ptr<const MacroDefinition> caller;
};
struct Generation {
  std::shared_ptr<const Block> body;
};
struct Break {};
struct Continue {};

struct Statement {
  Place place;
  std::variant<Text, Print, If, For, Set, SetBlock, FilterBlock, With, Macro, CallBlock, Generation,
               Break, Continue>
      node;
};

}  // namespace inlay::chat
