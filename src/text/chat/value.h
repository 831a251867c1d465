// The values of a template while it is rendered: Python's types as far as chat templates see them.
// A Value is a small handle; strings, lists, dictionaries and objects live in the Heap of one
// rendering and die with it, so a list may hold itself without harm.
//
//   Heap heap;
//   Value list = heap.list({Value(int64_t{1}), heap.text("two")});
//   list.list().items.size()   // 2
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/chat/budget.h"
#include "text/chat/marked_text.h"

namespace inlay::chat {

struct List;
class Dict;
class Object;
class Heap;

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBoolean,
  kInteger,
  kFloat,
  kString,
  kList,
  kDict,
  kNamespace,
  kObject,
};

class Value {
 public:
  Value() : kind_(Kind::kUndefined), name_(nullptr) {}
  explicit Value(bool value) : kind_(Kind::kBoolean), boolean_(value) {}
  explicit Value(int64_t value) : kind_(Kind::kInteger), integer_(value) {}
  explicit Value(double value) : kind_(Kind::kFloat), number_(value) {}
  explicit Value(const MarkedText* value) : kind_(Kind::kString), text_(value) {}
  explicit Value(List* value) : kind_(Kind::kList), list_(value) {}
  explicit Value(Dict* value, Kind kind = Kind::kDict) : kind_(kind), dict_(value) {}
  explicit Value(Object* value) : kind_(Kind::kObject), object_(value) {}
  static Value none();
  static Value undefined(const std::string* name);  // `name`: for messages; lives in the heap

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_undefined() const { return kind_ == Kind::kUndefined; }
  bool is_none() const { return kind_ == Kind::kNone; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_list() const { return kind_ == Kind::kList; }
  bool is_dict() const { return kind_ == Kind::kDict; }
  // Booleans count as integers, as in Python.
  bool is_integral() const { return kind_ == Kind::kInteger || kind_ == Kind::kBoolean; }
  bool is_number() const { return is_integral() || kind_ == Kind::kFloat; }

  // Each REQUIRES the kind.
  bool boolean() const { return boolean_; }
  int64_t integer() const { return kind_ == Kind::kBoolean ? int64_t{boolean_} : integer_; }
  double number() const { return kind_ == Kind::kFloat ? number_ : static_cast<double>(integer()); }
  const MarkedText& text() const { return *text_; }
  const std::string& bytes() const { return text_->bytes(); }
  List& list() const { return *list_; }
  Dict& dict() const { return *dict_; }  // of a kDict or a kNamespace
  Object& object() const { return *object_; }

  // "'tools' is undefined", for messages.
  std::string undefined_reason() const;
  const char* type_name() const;

  // Where the value came from; strings carry marks of their own.
  Mark mark;

 private:
  Kind kind_;
  union {
    const std::string* name_;
    bool boolean_;
    int64_t integer_;
    double number_;
    const MarkedText* text_;
    List* list_;
    Dict* dict_;
    Object* object_;
  };
};

// What kind of Python sequence a List stands for.
enum class Flavour : uint8_t {
  kList,
  kTuple,
  kView,       // of a dictionary's keys, values or items: has a length, cannot be indexed
  kGenerator,  // result of map, select and their like: true even if empty, iterated once
};

struct List {
  std::vector<Value> items;
  Flavour flavour = Flavour::kList;
};

// A dictionary in the order of insertion.
class Dict {
 public:
  const std::vector<std::pair<Value, Value>>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  Value* find(std::string_view key);
  Value* find(Heap& heap, Value key);
  void set(Heap& heap, Value key, Value value);

 private:
  std::vector<std::pair<Value, Value>> entries_;
  std::unordered_map<std::string_view, std::size_t> by_text_;  // keys that are strings
};

// Arguments of a call, in the order of the source.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string_view, Value>> named;
};

// What has behaviour: functions, macros, bound methods, `loop`.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string description() const = 0;  // "macro 'render'", for messages and printing
  virtual Value call(Heap& heap, const Arguments& arguments) = 0;
  virtual std::optional<Value> attribute(Heap& heap, std::string_view name);
};

// Owns everything that one rendering makes, and counts it.
class Heap {
 public:
  Budget budget;

  Value text(MarkedText text);
  Value text(std::string_view bytes, Mark mark = {}) { return this->text(MarkedText(bytes, mark)); }
  Value list(std::vector<Value> items, Flavour flavour = Flavour::kList);
  Value dict();
  Value undefined(std::string_view name);

  template <class T, class... Args>
  T& object(Args&&... args) {
    budget.step();
    auto owned = std::make_unique<T>(std::forward<Args>(args)...);
    T& result = *owned;
    objects_.push_back(std::move(owned));
    return result;
  }

 private:
  std::deque<MarkedText> texts_;
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
  std::deque<std::string> names_;
  std::vector<std::unique_ptr<Object>> objects_;
};

// fail() for what a template did wrong; the interpreter adds the place.
template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw_error(ErrorKind::kInput, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace inlay::chat
