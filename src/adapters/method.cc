#include "adapters/method.h"

#include "adapters/composition.h"
#include "adapters/method_training.h"
#include "adapters/union_method.h"
#include "base/nearest.h"
#include "base/spec.h"

namespace inlay {

#define INLAY_METHOD(name) const MethodInfo& method_##name();
#include "adapters/methods/list.h"
#undef INLAY_METHOD

std::unique_ptr<MethodTraining> Method::training(Adapter&) const { return nullptr; }

std::vector<const MethodInfo*> all_methods() {
  return {
#define INLAY_METHOD(name) &method_##name(),
#include "adapters/methods/list.h"
#undef INLAY_METHOD
  };
}

const MethodInfo& find_method(const std::string& name) {
  std::vector<std::string> names;
  for (const MethodInfo* info : all_methods()) {
    if (info->name == name) return *info;
    names.push_back(info->name);
  }
  std::string known;
  for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
  fail(ErrorKind::kUsage, "method \"{}\" is unknown; did you mean \"{}\"? Known: {}", name,
       nearest_name(name, names), known);
}

ConfiguredMethod parse_method(const std::string& text) {
  if (is_composition(text))
    return {&find_method("composition"), make_composition(parse_composition(text))};
  std::vector<std::string> parts = split_outside(text, '|');
  if (parts.size() > 1) return {&find_method("union"), make_union(std::move(parts))};
  Spec spec = parse_spec(text);
  const MethodInfo& info = find_method(spec.name);
  ConfiguredMethod configured{&info, info.make()};
  fields_from_text([&](FieldVisitor& visit) { configured.method->fields(visit); }, spec.arguments,
                   text);
  return configured;
}

std::string method_text(const ConfiguredMethod& method) {
  return spec_text({method.info->name,
                    fields_to_text([&](FieldVisitor& visit) { method.method->fields(visit); })});
}

}  // namespace inlay
