// Parses Jinja's expressions, from the loosest operator to the tightest:
//
//   a if b else c;  or;  and;  not;  == < in;  + -;  ~;  * / // %;  **;  - +;  . [] () | is
#pragma once

#include <string_view>
#include <vector>

#include "text/chat/syntax.h"
#include "text/chat/token_stream.h"

namespace inlay::chat {

// Names that a macro's body uses beyond its parameters; they decide what the macro accepts.
struct UsedNames {
  bool varargs = false;
  bool kwargs = false;
  bool caller = false;
};

class ExpressionParser {
 public:
  // `literals` keeps the strings of the source; it must outlive the syntax tree.
  ExpressionParser(TokenStream& tokens, Heap& literals) : tokens_(tokens), literals_(literals) {}

  ExpressionPtr parse();              // one expression
  ExpressionPtr parse_or();           // one without `if`
  ExpressionPtr parse_with_commas();  // one, or a tuple without parentheses
  ExpressionPtr parse_loop_items();   // the same, up to the `if` or `recursive` of a `for`
  ExpressionPtr parse_call();         // one that must be a call
  // The filters behind a '|', each without subject: "upper | trim".
  std::vector<ExpressionPtr> parse_filter_chain();

  UsedNames& used() { return used_; }

 private:
  template <class Node>
  ExpressionPtr make(Place place, Node node) const;

  ExpressionPtr parse_tuple(ExpressionPtr (ExpressionParser::*item)());
  ExpressionPtr parse_logical(std::string_view word, ExpressionPtr (ExpressionParser::*part)());
  ExpressionPtr parse_and();
  ExpressionPtr parse_not();
  ExpressionPtr parse_comparisons();
  ExpressionPtr parse_sum();
  ExpressionPtr parse_concatenation();
  ExpressionPtr parse_product();
  ExpressionPtr parse_power();
  ExpressionPtr parse_unary();
  ExpressionPtr parse_unary_without_filters();
  ExpressionPtr parse_postfix(ExpressionPtr object);
  ExpressionPtr parse_filters_and_tests(ExpressionPtr subject);
  ExpressionPtr parse_dot(ExpressionPtr object);
  ExpressionPtr parse_brackets(ExpressionPtr object);
  ExpressionPtr parse_filter(ExpressionPtr subject);
  ExpressionPtr parse_test(ExpressionPtr subject);
  bool test_argument_follows() const;
  ExpressionPtr call_of(ExpressionPtr callee);
  CallArguments parse_arguments();
  ExpressionPtr parse_primary();
  ExpressionPtr parse_name();
  ExpressionPtr parse_strings();
  ExpressionPtr parse_integer();
  ExpressionPtr parse_parentheses();
  ExpressionPtr parse_list();
  ExpressionPtr parse_dict();

  TokenStream& tokens_;
  Heap& literals_;
  UsedNames used_;
};

}  // namespace inlay::chat
