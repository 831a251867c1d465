// Macros: definition, binding of parameters, call. See interpreter.h.
#include <algorithm>
#include <utility>

#include "text/chat/interpreter.h"

namespace inlay::chat {
namespace {

class MacroObject : public Object {
 public:
  MacroObject(Interpreter& interpreter, const MacroDefinition& macro, Scope& defined_in)
      : interpreter_(interpreter), macro_(macro), defined_in_(defined_in) {}
  std::string description() const override { return fmt::format("macro '{}'", macro_.name); }
  Value call(Heap& /*heap*/, const Arguments& arguments) override {
    return interpreter_.call_macro(macro_, defined_in_, arguments);
  }

 private:
  Interpreter& interpreter_;
  const MacroDefinition& macro_;
  Scope& defined_in_;
};

}  // namespace

Value Interpreter::macro_value(const MacroDefinition& macro) {
  return Value(&heap_.object<MacroObject>(*this, macro, *scope_));
}

Value Interpreter::call_macro(const MacroDefinition& macro, Scope& defined_in,
                              const Arguments& arguments) {
  Scope& scope = new_scope(&defined_in);
  Scope* before = std::exchange(scope_, &scope);
  bind_parameters(macro, scope, arguments);
  scope_ = before;
  Flow flow = Flow::kOn;
  return heap_.text(capture(*macro.body, scope, flow));
}

void Interpreter::bind_parameters(const MacroDefinition& macro, Scope& scope,
                                  const Arguments& arguments) {
  const std::size_t count = macro.parameters.size();
  const std::size_t given = arguments.positional.size();
  if (given > count && !macro.takes_varargs) {
    refuse("macro '{}' takes at most {} arguments, found {}", macro.name, count, given);
  }
  std::vector<const Value*> bound(count, nullptr);
  for (std::size_t i = 0; i < std::min(given, count); ++i) bound[i] = &arguments.positional[i];
  const Value kwargs = heap_.dict();
  for (const auto& [name, value] : arguments.named) {
    const auto parameter =
        std::find_if(macro.parameters.begin(), macro.parameters.end(),
                     [&, wanted = name](const auto& entry) { return entry.first == wanted; });
    if (parameter != macro.parameters.end()) {
      const Value*& slot = bound[static_cast<std::size_t>(parameter - macro.parameters.begin())];
      if (slot != nullptr) refuse("macro '{}' gets '{}' twice", macro.name, name);
      slot = &value;
    } else if (name == "caller" && macro.takes_caller) {
      scope.set(heap_, "caller", value);
    } else if (macro.takes_kwargs) {
      kwargs.dict().set(heap_, heap_.text(name), value);
    } else {
      refuse("macro '{}' has no parameter '{}'", macro.name, name);
    }
  }
  bind_rest(macro, scope, arguments, kwargs);
  // Defaults may use the parameters before them.
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [name, otherwise] = macro.parameters[i];
    scope.set(heap_, name,
              bound[i] != nullptr ? *bound[i]
              : otherwise         ? evaluate(*otherwise)
                                  : heap_.undefined(name));
  }
}

void Interpreter::bind_rest(const MacroDefinition& macro, Scope& scope, const Arguments& arguments,
                            Value kwargs) {
  if (macro.takes_varargs) {
    const auto first = std::min(arguments.positional.size(), macro.parameters.size());
    const std::vector<Value> rest(arguments.positional.begin() + static_cast<std::ptrdiff_t>(first),
                                  arguments.positional.end());
    scope.set(heap_, "varargs", heap_.list(rest, Flavour::kTuple));
  }
  if (macro.takes_kwargs) scope.set(heap_, "kwargs", kwargs);
}

}  // namespace inlay::chat
