#include "data/chat/tool_calls.h"

#include "base/error.h"
#include "base/ordered_json.h"
#include "data/encoding.h"

namespace inlay {
namespace {

bool has_name(const OrderedJson& value) {
  return value.is_object() && value.contains("name") && value["name"].is_string();
}

// The object that the text holds, or the text itself: some tools take a plain string.
OrderedJson arguments_of(const OrderedJson& value) {
  if (!value.is_string()) return value;
  const auto& text = value.get_ref<const std::string&>();
  if (!trimmed(text).starts_with('{')) return value;
  try {
    return parse_ordered_json(text, "arguments");
  } catch (const Error&) {
    return value;
  }
}

OrderedJson function_call(const OrderedJson& function, const std::string& where) {
  require(has_name(function), ErrorKind::kInput,
          "{}: found a tool call without a function's name; expected {{\"name\": …, "
          "\"arguments\": {{…}}}}",
          where);
  OrderedJson call = {{"name", function["name"]}};
  call["arguments"] =
      function.contains("arguments") ? arguments_of(function["arguments"]) : OrderedJson::object();
  return call;
}

}  // namespace

OrderedJson tools_of(const OrderedJson& value, const std::string& where) {
  OrderedJson list =
      value.is_string() ? parse_ordered_json(value.get<std::string>(), where) : value;
  require(list.is_array(), ErrorKind::kInput, "{}: found {}; expected a list of tools", where,
          list.type_name());
  if (list.empty()) return nullptr;
  for (OrderedJson& tool : list) {
    require(tool.is_object(), ErrorKind::kInput, "{}: found {}; expected tools that are objects",
            where, tool.type_name());
    if (!tool.contains("function") && has_name(tool))
      tool = {{"type", "function"}, {"function", OrderedJson(tool)}};
  }
  return list;
}

OrderedJson tool_calls_of(const OrderedJson& value, const std::string& where) {
  require(value.is_array(), ErrorKind::kInput, "{}: found {}; expected a list of tool calls", where,
          value.type_name());
  OrderedJson calls = OrderedJson::array();
  for (const OrderedJson& given : value) {
    bool wrapped = given.is_object() && given.contains("function");
    OrderedJson call = OrderedJson::object();
    if (wrapped && given.contains("id")) call["id"] = given["id"];
    call["type"] = "function";
    call["function"] = function_call(wrapped ? given["function"] : given, where);
    calls.push_back(std::move(call));
  }
  return calls;
}

OrderedJson tool_calls_of_text(const std::string& text, const std::string& where) {
  OrderedJson parsed = parse_ordered_json(text, where);
  if (!parsed.is_array()) parsed = OrderedJson::array({std::move(parsed)});
  require(!parsed.empty(), ErrorKind::kInput, "{}: found no tool call; expected at least one",
          where);
  return tool_calls_of(parsed, where);
}

}  // namespace inlay
