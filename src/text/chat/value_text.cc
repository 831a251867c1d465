#include "text/chat/value_text.h"

#include <unicode/uchar.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "text/utf8.h"

namespace inlay::chat {
namespace {

void append_repr(Heap& heap, Value value, MarkedText& out);

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  switch (u_charType(static_cast<UChar32>(c))) {
    case U_UNASSIGNED:
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_PRIVATE_USE_CHAR:
    case U_SURROGATE:
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
    case U_SPACE_SEPARATOR:
      return false;
    default:
      return true;
  }
}

std::string escaped(char32_t c, char quote) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c == '\\' || c == static_cast<char32_t>(quote)) return {'\\', static_cast<char>(c)};
  if (is_printable(c)) return {};
  const auto code = static_cast<uint32_t>(c);
  if (code < 0x100) return fmt::format("\\x{:02x}", code);
  return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

void append_quoted(const MarkedText& text, MarkedText& out) {
  const std::string& bytes = text.bytes();
  const bool has_single = bytes.find('\'') != std::string::npos;
  const char quote = has_single && bytes.find('"') == std::string::npos ? '"' : '\'';
  const std::string_view mark(&quote, 1);
  out.append(mark, bytes.empty() ? Mark{} : text.mark_at(0));
  for (std::size_t at = 0; at < bytes.size();) {
    const text::Utf8Char c = text::decode_utf8(bytes, at);
    const std::string replacement = escaped(c.code, quote);
    if (replacement.empty()) {
      out.append(text, at, at + c.length);
    } else {
      out.append(replacement, text.mark_at(at));
    }
    at += c.length;
  }
  out.append(mark, bytes.empty() ? Mark{} : text.mark_at(bytes.size() - 1));
}

void append_list(Heap& heap, const Value& value, MarkedText& out) {
  const List& list = value.list();
  const bool tuple = list.flavour == Flavour::kTuple;
  out.append(tuple ? "(" : "[", value.mark);
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) out.append(", ", value.mark);
    append_repr(heap, list.items[i], out);
  }
  if (tuple && list.items.size() == 1) out.append(",", value.mark);
  out.append(tuple ? ")" : "]", value.mark);
}

void append_dict(Heap& heap, const Value& value, MarkedText& out) {
  out.append("{", value.mark);
  bool first = true;
  for (const auto& [key, element] : value.dict().entries()) {
    if (!first) out.append(", ", value.mark);
    first = false;
    append_repr(heap, key, out);
    out.append(": ", value.mark);
    append_repr(heap, element, out);
  }
  out.append("}", value.mark);
}

std::string scalar_text(Value value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return "";
    case Kind::kNone:
      return "None";
    case Kind::kBoolean:
      return value.boolean() ? "True" : "False";
    case Kind::kInteger:
      return fmt::format("{}", value.integer());
    case Kind::kFloat:
      return float_text(value.number());
    case Kind::kObject:
      return fmt::format("<{}>", value.object().description());
    default:
      return "";
  }
}

void append_repr(Heap& heap, Value value, MarkedText& out) {
  heap.budget.step();
  const Budget::Level level(heap.budget);
  switch (value.kind()) {
    case Kind::kUndefined:
      return out.append("Undefined", value.mark);
    case Kind::kString:
      return append_quoted(value.text(), out);
    case Kind::kList:
      return append_list(heap, value, out);
    case Kind::kDict:
      return append_dict(heap, value, out);
    case Kind::kNamespace:
      out.append("<Namespace ", value.mark);
      append_dict(heap, value, out);
      return out.append(">", value.mark);
    default:
      return out.append(scalar_text(value), value.mark);
  }
}

}  // namespace

MarkedText to_text(Heap& heap, Value value) {
  MarkedText out;
  switch (value.kind()) {
    case Kind::kString:
      heap.budget.text(value.text().size());
      return value.text();
    case Kind::kList:
    case Kind::kDict:
    case Kind::kNamespace:
      append_repr(heap, value, out);
      break;
    default:
      out.append(scalar_text(value), value.mark);
  }
  heap.budget.text(out.size());
  return out;
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[400];
  // Digits and exponent first: Python writes plain decimals for exponents from -4 to 15.
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string scientific(buffer, end.ptr);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (exponent < -4 || exponent >= 16) return scientific;
  end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  std::string fixed(buffer, end.ptr);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

}  // namespace inlay::chat
