// Walks the syntax tree of a template and writes what it renders.
//
//   Heap heap;
//   Scope variables(nullptr);
//   Interpreter interpreter(heap, variables);
//   MarkedText text = interpreter.render(block);
#pragma once

#include <deque>

#include "text/chat/scope.h"
#include "text/chat/syntax.h"
#include "text/chat/value.h"

namespace inlay::chat {

class LoopObject;

class Interpreter {
 public:
  Interpreter(Heap& heap, Scope& scope) : heap_(heap), scope_(&scope) {}

  // What the statements print.
  MarkedText render(const Block& block);

  // The place of what is being evaluated; after an Error, of what failed.
  Place place() const { return place_; }

  Value call_macro(const MacroDefinition& macro, Scope& defined_in, const Arguments& arguments);
  // The body of a recursive loop over other items: loop(children).
  MarkedText render_loop(const For& loop, Scope& outer, Value items, int depth);
  // Whether a loop's own condition lets an item in.
  bool admits(const For& loop, Scope& outer, Value item);

 private:
  enum class Flow { kOn, kBreak, kContinue };

  Flow execute(const Block& block);
  Flow execute(const Statement& statement);

  Flow run(const Text& text);
  Flow run(const Print& print);
  Flow run(const If& statement);
  Flow run(const For& loop);
  Flow run(const Set& statement);
  Flow run(const SetBlock& statement);
  Flow run(const FilterBlock& statement);
  Flow run(const With& statement);
  Flow run(const Macro& statement);
  Flow run(const CallBlock& statement);
  Flow run(const Generation& statement);
  Flow run(const Break& /*statement*/) { return Flow::kBreak; }
  Flow run(const Continue& /*statement*/) { return Flow::kContinue; }

  Flow run_loop(const For& loop, Scope& outer, Value items, int depth);
  // Whether an iteration came to its end; `flow` says how the last one ended.
  bool run_iterations(const For& loop, LoopObject& object, Flow& flow);
  Flow run_in(Scope& scope, const Block& block);
  // Runs a block in a scope of its own and gives what it prints; `flow` says how it ended.
  MarkedText capture(const Block& block, Scope& scope, Flow& flow);
  // Appends what the expression gives, as str() writes it.
  void append_printed(const Expression& expression, MarkedText& out);
  void assign(const Target& target, Value value);
  void assign_tuple(const Target& target, Value value);
  Value macro_value(const MacroDefinition& macro);
  void bind_parameters(const MacroDefinition& macro, Scope& scope, const Arguments& arguments);
  void bind_rest(const MacroDefinition& macro, Scope& scope, const Arguments& arguments,
                 Value kwargs);
  Scope& new_scope(const Scope* parent) { return scopes_.emplace_back(parent); }

  Value evaluate(const Expression& expression);
  Value value_of(const Literal& node) { return node.value; }
  Value value_of(const Name& node);
  Value value_of(const ListDisplay& node);
  Value value_of(const DictDisplay& node);
  Value value_of(const Attribute& node);
  Value value_of(const Subscript& node);
  Value value_of(const Slice& node);
  Value value_of(const Call& node);
  Value value_of(const FilterCall& node);
  Value value_of(const TestCall& node);
  Value value_of(const Unary& node);
  Value value_of(const Binary& node);
  Value value_of(const Concatenation& node);
  Value value_of(const Logical& node);
  Value value_of(const Comparisons& node);
  Value value_of(const Conditional& node);
  Value filtered(Value subject, const std::vector<ExpressionPtr>& filters);
  Arguments arguments_of(const CallArguments& arguments);
  Value call(Value callee, const Arguments& arguments);

  Heap& heap_;
  std::deque<Scope> scopes_;  // macros refer to the scopes they are defined in
  Scope* scope_;
  MarkedText* out_ = nullptr;
  Place place_;
};

}  // namespace inlay::chat
