// Filters that give strings. What is no string is written as str() does first.
#include "text/chat/arguments.h"
#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/filter_functions.h"
#include "text/chat/text_case.h"
#include "text/chat/text_edit.h"
#include "text/chat/text_join.h"
#include "text/chat/value_json.h"
#include "text/chat/value_text.h"

namespace inlay::chat::filter {
namespace {

Value changed(Heap& heap, Value subject, const Arguments& arguments,
              MarkedText (*change)(const MarkedText&)) {
  const Bound none("this filter", arguments, {});
  return heap.text(change(to_text(heap, subject)));
}

std::string_view escape_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&#34;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

// The separators of json.dumps: (item, key).
void set_separators(Heap& heap, JsonStyle& style, const Bound& bound) {
  style.item_separator = MarkedText(style.indent ? "," : ", ");
  style.key_separator = MarkedText(": ");
  const Value given = bound.value(2, Value::none());
  if (given.is_none()) return;
  const std::vector<Value> parts = elements(heap, given);
  if (parts.size() != 2 || !parts[0].is_string() || !parts[1].is_string()) {
    refuse("tojson needs two strings as 'separators'");
  }
  style.item_separator = to_text(heap, parts[0]);
  style.key_separator = to_text(heap, parts[1]);
}

void set_indent(Heap& heap, JsonStyle& style, Value indent) {
  if (indent.is_none()) return;
  if (indent.is_string()) {
    style.indent = to_text(heap, indent).bytes();
  } else if (indent.is_integral()) {
    style.indent = repeated(heap, MarkedText(" "), indent.integer()).bytes();
  } else {
    refuse("tojson needs an integer or a string as 'indent', found a {}", indent.type_name());
  }
}

}  // namespace

Value capitalize(Heap& heap, Value subject, const Arguments& arguments) {
  return changed(heap, subject, arguments, capitalized);
}
Value lower(Heap& heap, Value subject, const Arguments& arguments) {
  return changed(heap, subject, arguments, to_lower);
}
Value upper(Heap& heap, Value subject, const Arguments& arguments) {
  return changed(heap, subject, arguments, to_upper);
}
Value title(Heap& heap, Value subject, const Arguments& arguments) {
  return changed(heap, subject, arguments, titled_by_filter);
}

Value string(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("string", arguments, {});
  return subject.is_string() ? subject : heap.text(to_text(heap, subject));
}

Value escape(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("escape", arguments, {});
  const MarkedText text = to_text(heap, subject);
  MarkedText result;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view replacement = escape_of(text.bytes()[at]);
    if (replacement.empty()) continue;
    result.append(text, kept, at);
    result.append(replacement, text.mark_at(at));
    kept = at + 1;
  }
  result.append(text, kept, text.size());
  return heap.text(std::move(result));
}

Value indent(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("indent", arguments, {"width", "first", "blank"});
  const Value width = bound.value(0, Value(int64_t{4}));
  const MarkedText space = width.is_string() ? to_text(heap, width)
                                             : repeated(heap, MarkedText(" "), bound.integer(0, 4));
  MarkedText text = to_text(heap, subject);
  text.append("\n", {});  // so that the last line counts even when it is empty
  const std::vector<Value> lines = split_lines(heap, text, false);
  MarkedText result;
  if (bound.flag(1, false)) result.append(space);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) {
      result.append("\n", {});
      if (bound.flag(2, false) || !lines[i].text().empty()) result.append(space);
    }
    result.append(lines[i].text());
  }
  return heap.text(std::move(result));
}

Value join(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("join", arguments, {"d", "attribute"});
  std::vector<Value> parts = elements(heap, subject);
  if (bound.has(1) && !bound.required(1).is_none()) {
    for (Value& part : parts) part = item_by_path(heap, part, bound.required(1));
  }
  const Value separator = bound.value(0, Value());
  return heap.text(joined(heap, parts, to_text(heap, separator)));
}

Value replace(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("replace", arguments, {"old", "new", "count"});
  const Value count = bound.value(2, Value::none());
  const MarkedText old = to_text(heap, bound.required(0));
  return heap.text(replaced(to_text(heap, subject), old.bytes(), to_text(heap, bound.required(1)),
                            count.is_none() ? -1 : bound.integer(2, -1)));
}

Value tojson(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style{.ensure_ascii = bound.flag(0, false), .sort_keys = bound.flag(3, false)};
  set_indent(heap, style, bound.value(1, Value::none()));
  set_separators(heap, style, bound);
  return heap.text(json_text(heap, subject, style));
}

Value trim(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("trim", arguments, {"chars"});
  const std::optional<Value> characters = bound.text(0);
  const MarkedText text = to_text(heap, subject);
  return heap.text(characters ? stripped(heap, text, Sides::kBoth, characters->bytes())
                              : stripped(heap, text, Sides::kBoth));
}

}  // namespace inlay::chat::filter
