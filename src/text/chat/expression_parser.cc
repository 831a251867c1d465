#include "text/chat/expression_parser.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/nearest.h"

namespace inlay::chat {
namespace {

template <class Operator>
struct Symbol {
  std::string_view text;
  Operator op;
};

constexpr Symbol<BinaryOperator> kSums[] = {{"+", BinaryOperator::kAdd},
                                            {"-", BinaryOperator::kSubtract}};
constexpr Symbol<BinaryOperator> kProducts[] = {{"*", BinaryOperator::kMultiply},
                                                {"/", BinaryOperator::kDivide},
                                                {"//", BinaryOperator::kFloorDivide},
                                                {"%", BinaryOperator::kModulo}};
constexpr Symbol<BinaryOperator> kPowers[] = {{"**", BinaryOperator::kPower}};
constexpr Symbol<Comparison> kComparisons[] = {
    {"==", Comparison::kEqual},  {"!=", Comparison::kNotEqual},
    {"<", Comparison::kLess},    {"<=", Comparison::kLessEqual},
    {">", Comparison::kGreater}, {">=", Comparison::kGreaterEqual}};

template <class Operator, std::size_t kCount>
std::optional<Operator> skip_symbol(TokenStream& tokens,
                                    const Symbol<Operator> (&symbols)[kCount]) {
  for (const Symbol<Operator>& symbol : symbols) {
    if (tokens.skip_operator(symbol.text)) return symbol.op;
  }
  return std::nullopt;
}

std::optional<Comparison> skip_comparison(TokenStream& tokens) {
  if (tokens.skip_name("in")) return Comparison::kIn;
  if (tokens.current().is_name("not") && tokens.ahead().is_name("in")) {
    tokens.next();
    tokens.next();
    return Comparison::kNotIn;
  }
  return skip_symbol(tokens, kComparisons);
}

template <class Entries>
std::string unknown_name(std::string_view kind, const std::string& name, const Entries& entries) {
  std::vector<std::string> known;
  known.reserve(entries.size());
  for (const auto& entry : entries) known.emplace_back(entry.name);
  return fmt::format("{} '{}' is not supported; did you mean '{}'?", kind, name,
                     nearest_name(name, known));
}

}  // namespace

template <class Node>
ExpressionPtr ExpressionParser::make(Place place, Node node) const {
  auto result = std::make_unique<Expression>(Expression{place, std::move(node)});
  result->height = 1 + height_below(*result);
  // Chains such as a + b + c grow the tree without nesting in the source.
  if (result->height > 2 * kMaxNesting) {
    tokens_.fail_here(fmt::format("the expression is deeper than {} levels", 2 * kMaxNesting));
  }
  return result;
}

ExpressionPtr ExpressionParser::parse() {
  const TokenStream::Level level(tokens_);
  const Place place = tokens_.place();
  ExpressionPtr result = parse_or();
  while (tokens_.skip_name("if")) {
    ExpressionPtr condition = parse_or();
    ExpressionPtr otherwise = tokens_.skip_name("else") ? parse() : nullptr;
    result =
        make(place, Conditional{std::move(condition), std::move(result), std::move(otherwise)});
  }
  return result;
}

ExpressionPtr ExpressionParser::parse_with_commas() {
  return parse_tuple(&ExpressionParser::parse);
}

ExpressionPtr ExpressionParser::parse_loop_items() {
  return parse_tuple(&ExpressionParser::parse_or);
}

ExpressionPtr ExpressionParser::parse_call() {
  ExpressionPtr call = parse();
  if (!std::holds_alternative<Call>(call->node)) {
    tokens_.fail_here("a call block needs a call, such as {% call name(argument) %}");
  }
  return call;
}

ExpressionPtr ExpressionParser::parse_tuple(ExpressionPtr (ExpressionParser::*item)()) {
  const Place place = tokens_.place();
  ExpressionPtr first = (this->*item)();
  if (!tokens_.current().is_operator(",")) return first;
  ListDisplay tuple{.items = {}, .flavour = Flavour::kTuple};
  tuple.items.push_back(std::move(first));
  while (tokens_.skip_operator(",")) {
    if (tokens_.at_tag_end() || tokens_.current().is_operator(")")) break;
    tuple.items.push_back((this->*item)());
  }
  return make(place, std::move(tuple));
}

ExpressionPtr ExpressionParser::parse_logical(std::string_view word,
                                              ExpressionPtr (ExpressionParser::*part)()) {
  const Place place = tokens_.place();
  ExpressionPtr first = (this->*part)();
  if (!tokens_.current().is_name(word)) return first;
  Logical result{.is_and = word == "and", .parts = {}};
  result.parts.push_back(std::move(first));
  while (tokens_.skip_name(word)) result.parts.push_back((this->*part)());
  return make(place, std::move(result));
}

ExpressionPtr ExpressionParser::parse_or() {
  return parse_logical("or", &ExpressionParser::parse_and);
}

ExpressionPtr ExpressionParser::parse_and() {
  return parse_logical("and", &ExpressionParser::parse_not);
}

ExpressionPtr ExpressionParser::parse_not() {
  const Place place = tokens_.place();
  if (!tokens_.skip_name("not")) return parse_comparisons();
  const TokenStream::Level level(tokens_);
  return make(place, Unary{Unary::Operator::kNot, parse_not()});
}

ExpressionPtr ExpressionParser::parse_comparisons() {
  const Place place = tokens_.place();
  ExpressionPtr first = parse_sum();
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
  while (const std::optional<Comparison> op = skip_comparison(tokens_)) {
    rest.emplace_back(*op, parse_sum());
  }
  if (rest.empty()) return first;
  return make(place, Comparisons{std::move(first), std::move(rest)});
}

ExpressionPtr ExpressionParser::parse_sum() {
  const Place place = tokens_.place();
  ExpressionPtr left = parse_concatenation();
  while (const auto op = skip_symbol(tokens_, kSums)) {
    left = make(place, Binary{*op, std::move(left), parse_concatenation()});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_concatenation() {
  const Place place = tokens_.place();
  ExpressionPtr first = parse_product();
  if (!tokens_.current().is_operator("~")) return first;
  Concatenation result;
  result.parts.push_back(std::move(first));
  while (tokens_.skip_operator("~")) result.parts.push_back(parse_product());
  return make(place, std::move(result));
}

ExpressionPtr ExpressionParser::parse_product() {
  const Place place = tokens_.place();
  ExpressionPtr left = parse_power();
  while (const auto op = skip_symbol(tokens_, kProducts)) {
    left = make(place, Binary{*op, std::move(left), parse_power()});
  }
  return left;
}

// Jinja's ** binds to the left, unlike Python's.
ExpressionPtr ExpressionParser::parse_power() {
  const Place place = tokens_.place();
  ExpressionPtr left = parse_unary();
  while (const auto op = skip_symbol(tokens_, kPowers)) {
    left = make(place, Binary{*op, std::move(left), parse_unary()});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_unary() {
  return parse_filters_and_tests(parse_unary_without_filters());
}

ExpressionPtr ExpressionParser::parse_unary_without_filters() {
  const TokenStream::Level level(tokens_);
  const Place place = tokens_.place();
  if (tokens_.skip_operator("-")) {
    return parse_postfix(
        make(place, Unary{Unary::Operator::kMinus, parse_unary_without_filters()}));
  }
  if (tokens_.skip_operator("+")) {
    return parse_postfix(make(place, Unary{Unary::Operator::kPlus, parse_unary_without_filters()}));
  }
  return parse_postfix(parse_primary());
}

ExpressionPtr ExpressionParser::parse_postfix(ExpressionPtr object) {
  while (true) {
    if (tokens_.current().is_operator(".")) {
      object = parse_dot(std::move(object));
    } else if (tokens_.current().is_operator("[")) {
      object = parse_brackets(std::move(object));
    } else if (tokens_.current().is_operator("(")) {
      object = call_of(std::move(object));
    } else {
      return object;
    }
  }
}

ExpressionPtr ExpressionParser::parse_filters_and_tests(ExpressionPtr subject) {
  while (true) {
    if (tokens_.skip_operator("|")) {
      subject = parse_filter(std::move(subject));
    } else if (tokens_.skip_name("is")) {
      subject = parse_test(std::move(subject));
    } else if (tokens_.current().is_operator("(")) {
      subject = call_of(std::move(subject));
    } else {
      return subject;
    }
  }
}

std::vector<ExpressionPtr> ExpressionParser::parse_filter_chain() {
  std::vector<ExpressionPtr> chain;
  do chain.push_back(parse_filter(nullptr));
  while (tokens_.skip_operator("|"));
  return chain;
}

ExpressionPtr ExpressionParser::parse_dot(ExpressionPtr object) {
  const Place place = tokens_.place();
  tokens_.next();
  if (tokens_.current().is(TokenKind::kInteger)) {
    return make(place, Subscript{std::move(object), parse_integer()});
  }
  std::string name = tokens_.expect_name("the name of an attribute");
  return make(place, Attribute{std::move(object), std::move(name)});
}

ExpressionPtr ExpressionParser::parse_brackets(ExpressionPtr object) {
  const TokenStream::Level level(tokens_);
  const Place place = tokens_.place();
  tokens_.next();
  auto bound_follows = [&] {
    return !tokens_.current().is_operator(":") && !tokens_.current().is_operator("]");
  };
  ExpressionPtr start = bound_follows() ? parse_with_commas() : nullptr;
  if (start && tokens_.skip_operator("]")) {
    return make(place, Subscript{std::move(object), std::move(start)});
  }
  tokens_.expect_operator(":");
  ExpressionPtr stop = bound_follows() ? parse() : nullptr;
  ExpressionPtr step = tokens_.skip_operator(":") && bound_follows() ? parse() : nullptr;
  tokens_.expect_operator("]");
  return make(place, Slice{std::move(object), std::move(start), std::move(stop), std::move(step)});
}

ExpressionPtr ExpressionParser::parse_filter(ExpressionPtr subject) {
  const Place place = tokens_.place();
  if (!tokens_.current().is(TokenKind::kName)) tokens_.fail_expecting("the name of a filter");
  const Filter* filter = find_filter(tokens_.current().text);
  if (filter == nullptr) {
    tokens_.fail_here(unknown_name("filter", tokens_.current().text, filters()));
  }
  tokens_.next();
  CallArguments arguments;
  if (tokens_.current().is_operator("(")) arguments = parse_arguments();
  return make(place, FilterCall{std::move(subject), filter, std::move(arguments)});
}

ExpressionPtr ExpressionParser::parse_test(ExpressionPtr subject) {
  const Place place = tokens_.place();
  const bool negated = tokens_.skip_name("not");
  if (!tokens_.current().is(TokenKind::kName)) tokens_.fail_expecting("the name of a test");
  const Test* test = find_value_test(tokens_.current().text);
  if (test == nullptr) {
    tokens_.fail_here(unknown_name("test", tokens_.current().text, value_tests()));
  }
  tokens_.next();
  CallArguments arguments;
  if (tokens_.current().is_operator("(")) {
    arguments = parse_arguments();
  } else if (test_argument_follows()) {
    arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  return make(place, TestCall{std::move(subject), test, std::move(arguments), negated});
}

// "x is divisibleby 3": one argument without parentheses.
bool ExpressionParser::test_argument_follows() const {
  const Token& token = tokens_.current();
  if (token.is(TokenKind::kName)) {
    if (token.is_name("is")) tokens_.fail_here("tests cannot be chained with 'is'");
    constexpr std::string_view kNoArgument[] = {"else", "or", "and", "if"};
    return std::find(std::begin(kNoArgument), std::end(kNoArgument), token.text) ==
           std::end(kNoArgument);
  }
  return token.is(TokenKind::kString) || token.is(TokenKind::kInteger) ||
         token.is(TokenKind::kFloat) || token.is_operator("[") || token.is_operator("{");
}

ExpressionPtr ExpressionParser::call_of(ExpressionPtr callee) {
  const Place place = callee->place;
  CallArguments arguments = parse_arguments();
  return make(place, Call{std::move(callee), std::move(arguments)});
}

CallArguments ExpressionParser::parse_arguments() {
  const TokenStream::Level level(tokens_);
  CallArguments result;
  tokens_.expect_operator("(");
  while (!tokens_.skip_operator(")")) {
    if (tokens_.current().is_operator("*") || tokens_.current().is_operator("**")) {
      tokens_.fail_here("arguments spread with * or ** are not supported");
    }
    if (tokens_.current().is(TokenKind::kName) && tokens_.ahead().is_operator("=")) {
      std::string name = tokens_.next().text;
      tokens_.next();
      result.named.emplace_back(std::move(name), parse());
    } else {
      if (!result.named.empty())
        tokens_.fail_here("an argument without a name follows a named one");
      result.positional.push_back(parse());
    }
    if (!tokens_.current().is_operator(")")) tokens_.expect_operator(",");
  }
  return result;
}

ExpressionPtr ExpressionParser::parse_primary() {
  const Token& token = tokens_.current();
  const Place place = token.place;
  switch (token.kind) {
    case TokenKind::kName:
      return parse_name();
    case TokenKind::kString:
      return parse_strings();
    case TokenKind::kInteger:
      return parse_integer();
    case TokenKind::kFloat:
      return make(place, Literal{Value(std::strtod(tokens_.next().text.c_str(), nullptr))});
    default:
      break;
  }
  if (token.is_operator("(")) return parse_parentheses();
  if (token.is_operator("[")) return parse_list();
  if (token.is_operator("{")) return parse_dict();
  tokens_.fail_expecting("an expression");
}

ExpressionPtr ExpressionParser::parse_name() {
  const Place place = tokens_.place();
  std::string name = tokens_.next().text;
  if (name == "true" || name == "True") return make(place, Literal{Value(true)});
  if (name == "false" || name == "False") return make(place, Literal{Value(false)});
  if (name == "none" || name == "None") return make(place, Literal{Value::none()});
  used_.varargs |= name == "varargs";
  used_.kwargs |= name == "kwargs";
  used_.caller |= name == "caller";
  return make(place, Name{std::move(name)});
}

// Strings side by side are one: "a" 'b'.
ExpressionPtr ExpressionParser::parse_strings() {
  const Place place = tokens_.place();
  std::string text;
  while (tokens_.current().is(TokenKind::kString)) text += tokens_.next().text;
  return make(place, Literal{literals_.text(text)});
}

ExpressionPtr ExpressionParser::parse_integer() {
  const Place place = tokens_.place();
  const std::string& digits = tokens_.current().text;
  int64_t value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ec != std::errc()) tokens_.fail_here(fmt::format("{} is too large", digits));
  tokens_.next();
  return make(place, Literal{Value(value)});
}

ExpressionPtr ExpressionParser::parse_parentheses() {
  const Place place = tokens_.place();
  tokens_.next();
  if (tokens_.skip_operator(")")) return make(place, ListDisplay{{}, Flavour::kTuple});
  ExpressionPtr inside = parse_with_commas();
  tokens_.expect_operator(")");
  return inside;
}

ExpressionPtr ExpressionParser::parse_list() {
  const Place place = tokens_.place();
  tokens_.next();
  ListDisplay list{.items = {}, .flavour = Flavour::kList};
  while (!tokens_.skip_operator("]")) {
    list.items.push_back(parse());
    if (!tokens_.current().is_operator("]")) tokens_.expect_operator(",");
  }
  return make(place, std::move(list));
}

ExpressionPtr ExpressionParser::parse_dict() {
  const Place place = tokens_.place();
  tokens_.next();
  DictDisplay dict;
  while (!tokens_.skip_operator("}")) {
    ExpressionPtr key = parse();
    tokens_.expect_operator(":");
    dict.entries.emplace_back(std::move(key), parse());
    if (!tokens_.current().is_operator("}")) tokens_.expect_operator(",");
  }
  return make(place, std::move(dict));
}

}  // namespace inlay::chat
