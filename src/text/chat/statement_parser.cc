#include "text/chat/statement_parser.h"

#include <algorithm>
#include <initializer_list>

#include "text/chat/expression_parser.h"
#include "text/chat/token_stream.h"

namespace inlay::chat {
namespace {

using Words = std::initializer_list<std::string_view>;

class StatementParser {
 public:
  StatementParser(std::string_view source, std::string_view where, Heap& literals)
      : literals_(literals),
        tokens_(tokenize(source, where), where),
        expressions_(tokens_, literals) {}

  Block run() { return parse_block({}); }

 private:
  struct Keyword {
    std::string_view word;
    Statement (StatementParser::*parse)(Place place);
  };
  static const Keyword kKeywords[];

  // Statements up to a tag that begins with one of `ends`, which is left to be read; up to the end
  // of the template when there are none.
  Block parse_block(Words ends) {
    const TokenStream::Level level(tokens_);
    const Place opened = tokens_.place();
    Block block;
    while (true) {
      const Place place = tokens_.place();
      if (tokens_.current().is(TokenKind::kEnd)) {
        if (ends.size() == 0) return block;
        tokens_.fail_here(fmt::format("expected {{% {} %}} for the block of line {}, found the end",
                                      *(ends.end() - 1), opened.line));
      }
      if (tokens_.current().is(TokenKind::kText)) {
        block.push_back({place, Text{&literals_.text(tokens_.next().text).text()}});
      } else if (tokens_.current().is(TokenKind::kVariableBegin)) {
        block.push_back(parse_print(place));
      } else {
        tokens_.next();
        if (is_end(ends)) return block;
        block.push_back(parse_statement(place));
      }
    }
  }

  std::shared_ptr<const Block> parse_body(Words ends) {
    return std::make_shared<const Block>(parse_block(ends));
  }

  // A body up to {% end %}, with the tag.
  std::shared_ptr<const Block> parse_body_and_end(std::string_view end) {
    auto body = parse_body({end});
    tokens_.next();
    tokens_.expect_tag_end();
    return body;
  }

  bool is_end(Words ends) const {
    const Token& token = tokens_.current();
    return token.is(TokenKind::kName) &&
           std::find(ends.begin(), ends.end(), token.text) != ends.end();
  }

  Statement parse_print(Place place) {
    tokens_.next();
    ExpressionPtr value = expressions_.parse_with_commas();
    if (!tokens_.current().is(TokenKind::kVariableEnd)) tokens_.fail_expecting("'}}'");
    tokens_.next();
    return {place, Print{std::move(value)}};
  }

  Statement parse_statement(Place place);

  Statement parse_if(Place place) {
    If result;
    result.branches.push_back(parse_branch());
    while (tokens_.skip_name("elif")) result.branches.push_back(parse_branch());
    if (tokens_.skip_name("else")) {
      tokens_.expect_tag_end();
      result.branches.push_back({nullptr, parse_body({"endif"})});
    }
    if (!tokens_.skip_name("endif")) tokens_.fail_expecting("'endif'");
    tokens_.expect_tag_end();
    return {place, std::move(result)};
  }

  Branch parse_branch() {
    ExpressionPtr condition = expressions_.parse_with_commas();
    tokens_.expect_tag_end();
    return {std::move(condition), parse_body({"elif", "else", "endif"})};
  }

  Statement parse_for(Place place) {
    For result;
    result.target = parse_targets();
    if (!tokens_.skip_name("in")) tokens_.fail_expecting("'in'");
    result.items = expressions_.parse_loop_items();
    if (tokens_.skip_name("if")) result.condition = expressions_.parse();
    result.recursive = tokens_.skip_name("recursive");
    tokens_.expect_tag_end();
    ++loops_;
    result.body = parse_body({"else", "endfor"});
    --loops_;
    if (tokens_.skip_name("else")) {
      tokens_.expect_tag_end();
      result.otherwise = parse_body({"endfor"});
    }
    tokens_.next();
    tokens_.expect_tag_end();
    return {place, std::move(result)};
  }

  Target parse_targets() {
    Target first = parse_target();
    if (!tokens_.current().is_operator(",")) return first;
    Target result;
    result.tuple.push_back(std::move(first));
    while (tokens_.skip_operator(",")) {
      if (!tokens_.current().is(TokenKind::kName) && !tokens_.current().is_operator("(")) break;
      result.tuple.push_back(parse_target());
    }
    return result;
  }

  Target parse_target() {
    if (tokens_.skip_operator("(")) {
      const TokenStream::Level level(tokens_);
      Target result = parse_targets();
      tokens_.expect_operator(")");
      return result;
    }
    Target result;
    result.name = tokens_.expect_name("the name of a variable");
    if (tokens_.skip_operator(".")) result.attribute = tokens_.expect_name("an attribute's name");
    return result;
  }

  Statement parse_set(Place place) {
    Target target = parse_targets();
    if (tokens_.skip_operator("=")) {
      ExpressionPtr value = expressions_.parse_with_commas();
      tokens_.expect_tag_end();
      return {place, Set{std::move(target), std::move(value)}};
    }
    SetBlock result{.target = std::move(target), .filters = {}, .body = nullptr};
    if (tokens_.skip_operator("|")) result.filters = expressions_.parse_filter_chain();
    tokens_.expect_tag_end();
    result.body = parse_body_and_end("endset");
    return {place, std::move(result)};
  }

  Statement parse_filter_block(Place place) {
    FilterBlock result{.filters = expressions_.parse_filter_chain(), .body = nullptr};
    tokens_.expect_tag_end();
    result.body = parse_body_and_end("endfilter");
    return {place, std::move(result)};
  }

  Statement parse_with(Place place) {
    With result;
    while (!tokens_.at_tag_end()) {
      Target target = parse_target();
      tokens_.expect_operator("=");
      result.assignments.emplace_back(std::move(target), expressions_.parse());
      if (!tokens_.at_tag_end()) tokens_.expect_operator(",");
    }
    tokens_.expect_tag_end();
    result.body = parse_body_and_end("endwith");
    return {place, std::move(result)};
  }

  Statement parse_macro(Place place) {
    std::string name = tokens_.expect_name("the name of the macro");
    return {place, Macro{parse_macro_body(std::move(name), "endmacro")}};
  }

  Statement parse_call_block(Place place) {
    auto parameters = tokens_.current().is_operator("(") ? parse_parameters() : Parameters{};
    ExpressionPtr call = expressions_.parse_call();
    tokens_.expect_tag_end();
    auto caller = finish_macro({.name = "caller", .parameters = std::move(parameters)}, "endcall");
    return {place, CallBlock{std::move(call), std::move(caller)}};
  }

  using Parameters = std::vector<std::pair<std::string, ExpressionPtr>>;

  std::shared_ptr<const MacroDefinition> parse_macro_body(std::string name, std::string_view end) {
    Parameters parameters = parse_parameters();
    tokens_.expect_tag_end();
    return finish_macro({.name = std::move(name), .parameters = std::move(parameters)}, end);
  }

  Parameters parse_parameters() {
    Parameters result;
    tokens_.expect_operator("(");
    while (!tokens_.skip_operator(")")) {
      std::string name = tokens_.expect_name("the name of a parameter");
      ExpressionPtr value = tokens_.skip_operator("=") ? expressions_.parse() : nullptr;
      if (!value && !result.empty() && result.back().second) {
        tokens_.fail_here(fmt::format("parameter '{}' without a default follows one with", name));
      }
      result.emplace_back(std::move(name), std::move(value));
      if (!tokens_.current().is_operator(")")) tokens_.expect_operator(",");
    }
    return result;
  }

  std::shared_ptr<const MacroDefinition> finish_macro(MacroDefinition macro, std::string_view end) {
    const UsedNames outside = std::exchange(expressions_.used(), {});
    const int loops = std::exchange(loops_, 0);
    macro.body = parse_body_and_end(end);
    loops_ = loops;
    const UsedNames inside = std::exchange(expressions_.used(), outside);
    macro.takes_varargs = inside.varargs;
    macro.takes_kwargs = inside.kwargs;
    macro.takes_caller = inside.caller;
    return std::make_shared<const MacroDefinition>(std::move(macro));
  }

  Statement parse_generation(Place place) {
    tokens_.expect_tag_end();
    const int loops = std::exchange(loops_, 0);
    auto body = parse_body_and_end("endgeneration");
    loops_ = loops;
    return {place, Generation{std::move(body)}};
  }

  Statement parse_break(Place place) { return leave_loop(place, "break", Break{}); }
  Statement parse_continue(Place place) { return leave_loop(place, "continue", Continue{}); }

  template <class Node>
  Statement leave_loop(Place place, std::string_view word, Node node) {
    if (loops_ == 0) tokens_.fail_here(fmt::format("'{}' stands outside of a loop", word));
    tokens_.expect_tag_end();
    return {place, node};
  }

  Heap& literals_;
  TokenStream tokens_;
  ExpressionParser expressions_;
  int loops_ = 0;  // that enclose the place in hand within its macro
};

const StatementParser::Keyword StatementParser::kKeywords[] = {
    {"if", &StatementParser::parse_if},
    {"for", &StatementParser::parse_for},
    {"set", &StatementParser::parse_set},
    {"filter", &StatementParser::parse_filter_block},
    {"with", &StatementParser::parse_with},
    {"macro", &StatementParser::parse_macro},
    {"call", &StatementParser::parse_call_block},
    {"generation", &StatementParser::parse_generation},
    {"break", &StatementParser::parse_break},
    {"continue", &StatementParser::parse_continue},
};

Statement StatementParser::parse_statement(Place place) {
  if (!tokens_.current().is(TokenKind::kName)) tokens_.fail_expecting("the name of a statement");
  for (const Keyword& keyword : kKeywords) {
    if (tokens_.skip_name(keyword.word)) return (this->*keyword.parse)(place);
  }
  const std::string word = tokens_.current().text;
  if (word.starts_with("end") || word == "else" || word == "elif") {
    tokens_.fail_here(fmt::format("'{}' closes nothing that is open", word));
  }
  tokens_.fail_here(fmt::format("the statement '{}' is not supported in chat templates", word));
}

}  // namespace

Block parse_template(std::string_view source, std::string_view where, Heap& literals) {
  return StatementParser(source, where, literals).run();
}

}  // namespace inlay::chat
