#include "text/chat/methods.h"

namespace inlay::chat {
namespace {

class BoundMethod : public Object {
 public:
  BoundMethod(const Method& method, Value self) : method_(method), self_(self) {}
  std::string description() const override { return fmt::format("method '{}'", method_.name); }
  Value call(Heap& heap, const Arguments& arguments) override {
    return method_.call(heap, self_, arguments);
  }

 private:
  const Method& method_;
  Value self_;
};

std::span<const Method> methods_of(Value value) {
  if (value.is_string()) return string_methods();
  if (value.is_list()) return list_methods();
  if (value.is_dict()) return dict_methods();
  return {};
}

}  // namespace

std::optional<Value> bound_method(Heap& heap, Value self, std::string_view name) {
  for (const Method& method : methods_of(self)) {
    if (method.name == name) return Value(&heap.object<BoundMethod>(method, self));
  }
  return std::nullopt;
}

}  // namespace inlay::chat
