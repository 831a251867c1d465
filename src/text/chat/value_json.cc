#include "text/chat/value_json.h"

#include <algorithm>
#include <cmath>

#include "text/chat/compare.h"
#include "text/chat/value_text.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

Value string_value(Heap& heap, const std::string& text, Mark mark, const std::string& place) {
  const std::optional<std::size_t> bad = text::first_invalid_utf8(text);
  if (bad) refuse("{} is not UTF-8: its byte {} is invalid", place, *bad);
  return heap.text(text, mark);
}

Value list_value(Heap& heap, const OrderedJson& json, Mark mark, const std::string& place) {
  std::vector<Value> items;
  items.reserve(json.size());
  for (const OrderedJson& item : json) items.push_back(value_from_json(heap, item, mark, place));
  return heap.list(std::move(items));
}

Value dict_value(Heap& heap, const OrderedJson& json, Mark mark, const std::string& place) {
  const Value dict = heap.dict();
  for (const auto& [key, value] : json.items()) {
    dict.dict().set(heap, string_value(heap, key, mark, place),
                    value_from_json(heap, value, mark, place));
  }
  return dict;
}

Value unmarked_from_json(Heap& heap, const OrderedJson& json, Mark mark, const std::string& place) {
  switch (json.type()) {
    case OrderedJson::value_t::boolean:
      return Value(json.get<bool>());
    case OrderedJson::value_t::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) return Value(json.get<double>());
      return Value(json.get<int64_t>());
    case OrderedJson::value_t::number_integer:
      return Value(json.get<int64_t>());
    case OrderedJson::value_t::number_float:
      return Value(json.get<double>());
    case OrderedJson::value_t::string:
      return string_value(heap, json.get_ref<const std::string&>(), mark, place);
    case OrderedJson::value_t::array:
      return list_value(heap, json, mark, place);
    case OrderedJson::value_t::object:
      return dict_value(heap, json, mark, place);
    default:
      return Value::none();
  }
}

class JsonWriter {
 public:
  JsonWriter(Heap& heap, const JsonStyle& style) : heap_(heap), style_(style) {}

  void write(Value value) {
    heap_.budget.step();
    const Budget::Level level(heap_.budget);
    switch (value.kind()) {
      case Kind::kNone:
        return out_.append("null", value.mark);
      case Kind::kBoolean:
        return out_.append(value.boolean() ? "true" : "false", value.mark);
      case Kind::kInteger:
        return out_.append(fmt::format("{}", value.integer()), value.mark);
      case Kind::kFloat:
        return out_.append(number(value.number()), value.mark);
      case Kind::kString:
        return write_string(value.text());
      case Kind::kList:
        return write_list(value);
      case Kind::kDict:
        return write_dict(value);
      case Kind::kUndefined:
        refuse("{} and cannot be written as JSON", value.undefined_reason());
      default:
        refuse("a {} cannot be written as JSON", value.type_name());
    }
  }

  MarkedText finish() && { return std::move(out_); }

 private:
  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_text(value);
  }

  std::string escaped(char32_t c) const {
    switch (c) {
      case '"':
        return "\\\"";
      case '\\':
        return "\\\\";
      case '\n':
        return "\\n";
      case '\r':
        return "\\r";
      case '\t':
        return "\\t";
      case '\b':
        return "\\b";
      case '\f':
        return "\\f";
      default:
        break;
    }
    const auto code = static_cast<uint32_t>(c);
    if (code < 0x20 || (style_.ensure_ascii && code >= 0x7F && code < 0x10000)) {
      return code == 0x7F ? std::string() : fmt::format("\\u{:04x}", code);
    }
    if (!style_.ensure_ascii || code < 0x10000) return {};
    return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10),
                       0xDC00 + (code & 0x3FF));
  }

  void write_string(const MarkedText& text) {
    const Mark first = text.empty() ? Mark{} : text.mark_at(0);
    out_.append("\"", first);
    for (std::size_t at = 0; at < text.size();) {
      const text::Utf8Char c = text::decode_utf8(text.bytes(), at);
      const std::string replacement = escaped(c.code);
      if (replacement.empty()) {
        out_.append(text, at, at + c.length);
      } else {
        out_.append(replacement, text.mark_at(at));
      }
      at += c.length;
    }
    out_.append("\"", text.empty() ? first : text.mark_at(text.size() - 1));
  }

  void write_list(const Value& value) {
    const List& list = value.list();
    if (list.flavour == Flavour::kGenerator || list.flavour == Flavour::kView) {
      refuse("a {} cannot be written as JSON; make it a list first", value.type_name());
    }
    if (list.items.empty()) return out_.append("[]", value.mark);
    open("[", value.mark);
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) separate(value.mark);
      write(list.items[i]);
    }
    close("]", value.mark);
  }

  void write_dict(const Value& value) {
    auto entries = value.dict().entries();
    if (entries.empty()) return out_.append("{}", value.mark);
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const auto& a, const auto& b) { return less(heap_, a.first, b.first); });
    }
    open("{", value.mark);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) separate(value.mark);
      write_key(entries[i].first);
      append_separator(style_.key_separator, value.mark);
      write(entries[i].second);
    }
    close("}", value.mark);
  }

  void write_key(Value key) {
    if (key.is_string()) return write(key);
    if (!key.is_number() && !key.is_none()) {
      refuse("a {} cannot be a key in JSON", key.type_name());
    }
    out_.append("\"", key.mark);
    write(key);
    out_.append("\"", key.mark);
  }

  void open(std::string_view bracket, Mark mark) {
    out_.append(bracket, mark);
    ++depth_;
    new_line(mark);
  }

  void close(std::string_view bracket, Mark mark) {
    --depth_;
    new_line(mark);
    out_.append(bracket, mark);
  }

  void separate(Mark mark) {
    append_separator(style_.item_separator, mark);
    new_line(mark);
  }

  // Separators that the template wrote belong to the value that they are part of.
  void append_separator(const MarkedText& separator, Mark mark) {
    out_.append(separator.bytes(), mark);
  }

  void new_line(Mark mark) {
    if (!style_.indent) return;
    out_.append("\n", mark);
    for (int i = 0; i < depth_; ++i) out_.append(*style_.indent, mark);
  }

  Heap& heap_;
  const JsonStyle& style_;
  MarkedText out_;
  int depth_ = 0;
};

}  // namespace

Value value_from_json(Heap& heap, const OrderedJson& json, Mark mark, const std::string& place) {
  const Budget::Level level(heap.budget);
  Value value = unmarked_from_json(heap, json, mark, place);
  value.mark = mark;
  return value;
}

Value messages_from_json(Heap& heap, const OrderedJson& messages) {
  if (!messages.is_array()) {
    refuse("messages are {}; expected a list of objects with \"role\" and \"content\"",
           messages.type_name());
  }
  std::vector<Value> items;
  items.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Mark mark{.message = static_cast<int32_t>(i)};
    const std::string place = fmt::format("messages[{}]", i);
    Value message = value_from_json(heap, messages[i], mark, place);
    if (message.is_dict()) {
      Value* role = message.dict().find("role");
      if (role != nullptr && role->is_string()) {
        *role = heap.text(role->bytes(), Mark{.message = mark.message, .role = true});
      }
    }
    items.push_back(message);
  }
  return heap.list(std::move(items));
}

MarkedText json_text(Heap& heap, Value value, const JsonStyle& style) {
  JsonWriter writer(heap, style);
  writer.write(value);
  return std::move(writer).finish();
}

}  // namespace inlay::chat
