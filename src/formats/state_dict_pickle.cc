#include "formats/state_dict_pickle.h"

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <set>

#include "base/error.h"
#include "tensor/shape.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxPickleBytes = 64u << 20;
constexpr std::size_t kMaxValues = 1u << 20;  // a tensor of a state dict takes about twenty

struct StorageName {
  std::string_view global;
  DType dtype;
};

constexpr std::array<StorageName, 10> kStorages = {{{"torch.FloatStorage", DType::kF32},
                                                    {"torch.DoubleStorage", DType::kF64},
                                                    {"torch.HalfStorage", DType::kF16},
                                                    {"torch.BFloat16Storage", DType::kBF16},
                                                    {"torch.LongStorage", DType::kI64},
                                                    {"torch.IntStorage", DType::kI32},
                                                    {"torch.ShortStorage", DType::kI16},
                                                    {"torch.CharStorage", DType::kI8},
                                                    {"torch.ByteStorage", DType::kU8},
                                                    {"torch.BoolStorage", DType::kBool}}};

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

const StorageName* find_storage(std::string_view global) {
  for (const StorageName& storage : kStorages) {
    if (storage.global == global) return &storage;
  }
  return nullptr;
}

enum class Kind { kNone, kBool, kInt, kText, kTuple, kDict, kGlobal, kStorage, kTensor, kMark };

constexpr std::array<std::string_view, 10> kKindNames = {
    "None",   "a bool", "an integer", "a text",   "a tuple",
    "a dict", "a name", "a storage",  "a tensor", "a mark"};

// Values point to each other freely, also in circles; the interpreter owns them all.
struct Value {
  Kind kind = Kind::kNone;
  int64_t integer = 0;
  std::string text;           // of a text or a global; the key of a storage
  std::vector<Value*> items;  // of a tuple; key, value, key, value, ... of a dict
  std::size_t tensor = 0;     // index into the tensors
  DType dtype = DType::kF32;  // of a storage
};

class Interpreter {
 public:
  Interpreter(std::span<const std::byte> bytes, std::string_view where)
      : bytes_(bytes), where_(where) {}

  std::vector<PickledTensor> run() {
    while (step()) {
    }
    const Value* top = pop();
    expect(*top, Kind::kDict, "the pickle");
    return named_tensors(*top);
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::kInput, "{}: byte {}: {}", where_, at_,
         fmt::format(format, std::forward<Args>(args)...));
  }
  static std::string_view name_of(Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
  void expect(const Value& found, Kind wanted, std::string_view what) const {
    if (found.kind != wanted)
      refuse("{} is {}; expected {}", what, name_of(found.kind), name_of(wanted));
  }

  // Reading.
  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - at_) refuse("the pickle is cut short");
    std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_, count);
    at_ += count;
    return text;
  }
  template <class T>
  T take_number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string take_line() {
    std::string line;
    for (char c = take(1)[0]; c != '\n'; c = take(1)[0]) line += c;
    return line;
  }
  // LONG1: up to eight bytes, two's complement.
  int64_t take_long() {
    std::size_t size = take_number<uint8_t>();
    if (size > 8) refuse("an integer of {} bytes", size);
    std::string_view text = take(size);
    uint64_t value = !text.empty() && (text.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, text.data(), size);
    return static_cast<int64_t>(value);
  }

  // The stack and the memo.
  Value* make(Kind kind) {
    if (values_.size() >= kMaxValues) refuse("more than {} values", kMaxValues);
    values_.emplace_back().kind = kind;
    return &values_.back();
  }
  Value* push(Kind kind) {
    stack_.push_back(make(kind));
    return stack_.back();
  }
  void push_int(int64_t integer) { push(Kind::kInt)->integer = integer; }
  Value* pop() {
    if (stack_.empty()) refuse("the stack is empty");
    Value* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  std::vector<Value*> pop_to_mark() {
    std::size_t mark = stack_.size();
    while (mark > 0 && stack_[mark - 1]->kind != Kind::kMark) --mark;
    if (mark == 0) refuse("there is no mark on the stack");
    std::vector<Value*> items(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
    stack_.resize(mark - 1);
    return items;
  }
  void push_tuple(std::size_t count) {
    std::vector<Value*> items(count);
    for (std::size_t i = count; i > 0; --i) items[i - 1] = pop();
    push(Kind::kTuple)->items = std::move(items);
  }
  void remember(uint32_t slot) {
    if (stack_.empty()) refuse("there is nothing to remember");
    memo_[slot] = stack_.back();
  }
  void recall(uint32_t slot) {
    auto found = memo_.find(slot);
    if (found == memo_.end()) refuse("nothing was remembered as {}", slot);
    stack_.push_back(found->second);
  }

  // The instructions, by the names that Python's pickletools gives them. False after STOP.
  bool step() {
    char code = take(1)[0];
    switch (code) {
      case '\x80':
        protocol(take_number<uint8_t>());
        return true;
      case 'c':
        global();
        return true;
      case 'q':
        remember(take_number<uint8_t>());
        return true;
      case 'r':
        remember(take_number<uint32_t>());
        return true;
      case 'h':
        recall(take_number<uint8_t>());
        return true;
      case 'j':
        recall(take_number<uint32_t>());
        return true;
      case '(':
        push(Kind::kMark);
        return true;
      case ')':
        push(Kind::kTuple);
        return true;
      case 't': {
        auto items = pop_to_mark();
        push(Kind::kTuple)->items = std::move(items);
        return true;
      }
      case '\x85':
        push_tuple(1);
        return true;
      case '\x86':
        push_tuple(2);
        return true;
      case '\x87':
        push_tuple(3);
        return true;
      case '}':
        push(Kind::kDict);
        return true;
      case 's': {
        auto* value = pop();
        auto* key = pop();
        set_items({key, value});
        return true;
      }
      case 'u':
        set_items(pop_to_mark());
        return true;
      case 'X': {
        std::string text(take(take_number<uint32_t>()));
        push(Kind::kText)->text = std::move(text);
        return true;
      }
      case 'K':
        push_int(take_number<uint8_t>());
        return true;
      case 'M':
        push_int(take_number<uint16_t>());
        return true;
      case 'J':
        push_int(take_number<int32_t>());
        return true;
      case '\x8a':
        push_int(take_long());
        return true;
      case '\x88':
        push(Kind::kBool)->integer = 1;
        return true;
      case '\x89':
        push(Kind::kBool);
        return true;
      case 'N':
        push(Kind::kNone);
        return true;
      case 'Q':
        persistent_id();
        return true;
      case 'R':
        reduce();
        return true;
      case 'b':
        build();
        return true;
      case '.':
        return false;
      default:
        refuse("the instruction 0x{:02x} is none that a state dict needs; refused",
               static_cast<uint8_t>(code));
    }
  }

  void protocol(int version) const {
    if (version != 2) refuse("pickle protocol {}; torch.save writes 2", version);
  }

  void global() {
    std::string module = take_line();
    std::string name = module + "." + take_line();
    bool known = name == kOrderedDict || name == kRebuildTensor || name == kRebuildParameter ||
                 find_storage(name) != nullptr;
    if (!known)
      refuse("the name {} is none that a state dict needs; refused, since a pickle can run code",
             name.substr(0, 200));
    push(Kind::kGlobal)->text = std::move(name);
  }

  void set_items(const std::vector<Value*>& items) {
    if (stack_.empty() || stack_.back()->kind != Kind::kDict)
      refuse("an item was set in something that is no dict");
    if (items.size() % 2 != 0) refuse("a dict got a key without a value");
    auto& held = stack_.back()->items;
    held.insert(held.end(), items.begin(), items.end());
  }

  // ('storage', FloatStorage, '0', 'cpu', 12)
  void persistent_id() {
    const Value* id = pop();
    const auto& items = id->items;
    bool shaped = id->kind == Kind::kTuple && items.size() == 5 && items[0]->kind == Kind::kText &&
                  items[0]->text == "storage" && items[1]->kind == Kind::kGlobal &&
                  items[2]->kind == Kind::kText && items[4]->kind == Kind::kInt &&
                  items[4]->integer >= 0;
    const StorageName* storage = shaped ? find_storage(items[1]->text) : nullptr;
    if (storage == nullptr) refuse("a persistent id that is not a storage");
    std::string key = items[2]->text;
    int64_t count = items[4]->integer;
    Value* value = push(Kind::kStorage);
    value->text = std::move(key);
    value->integer = count;
    value->dtype = storage->dtype;
  }

  void reduce() {
    const Value* arguments = pop();
    const Value* callable = pop();
    expect(*callable, Kind::kGlobal, "what is called");
    expect(*arguments, Kind::kTuple, "the arguments of a call");
    if (callable->text == kOrderedDict) {
      if (!arguments->items.empty()) refuse("an OrderedDict with arguments");
      push(Kind::kDict);
    } else if (callable->text == kRebuildTensor) {
      rebuild_tensor(arguments->items);
    } else if (callable->text == kRebuildParameter) {
      if (arguments->items.empty() || arguments->items[0]->kind != Kind::kTensor)
        refuse("a parameter without a tensor");
      stack_.push_back(arguments->items[0]);
    } else {
      refuse("{} was called", callable->text);
    }
  }

  // (storage, offset, sizes, strides, requires_grad, hooks)
  void rebuild_tensor(const std::vector<Value*>& items) {
    bool shaped = items.size() >= 4 && items[0]->kind == Kind::kStorage &&
                  items[1]->kind == Kind::kInt && items[1]->integer >= 0;
    if (!shaped) refuse("a tensor without storage and offset");
    PickledTensor tensor{.name = {},
                         .dtype = items[0]->dtype,
                         .storage = items[0]->text,
                         .storage_count = items[0]->integer,
                         .offset = items[1]->integer,
                         .sizes = integers(*items[2]),
                         .strides = integers(*items[3])};
    if (tensor.sizes.size() != tensor.strides.size())
      refuse("{} sizes with {} strides", tensor.sizes.size(), tensor.strides.size());
    tensors_.push_back(std::move(tensor));
    push(Kind::kTensor)->tensor = tensors_.size() - 1;
  }

  std::vector<int64_t> integers(const Value& tuple) const {
    expect(tuple, Kind::kTuple, "the sizes or strides of a tensor");
    if (tuple.items.size() > Shape::kMaxRank)
      refuse("a tensor of {} dimensions; at most {} are supported", tuple.items.size(),
             Shape::kMaxRank);
    std::vector<int64_t> values;
    for (const Value* item : tuple.items) {
      expect(*item, Kind::kInt, "a size or stride");
      if (item->integer < 0) refuse("a size or stride is {}; expected 0 or more", item->integer);
      values.push_back(item->integer);
    }
    return values;
  }

  // The attributes of an OrderedDict: Module.state_dict() leaves version numbers there, which
  // nothing here needs.
  void build() {
    pop();
    if (stack_.empty() || stack_.back()->kind != Kind::kDict)
      refuse("attributes for something that is no dict");
  }

  std::vector<PickledTensor> named_tensors(const Value& dict) const {
    std::vector<PickledTensor> named;
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < dict.items.size(); i += 2) {
      const Value &key = *dict.items[i], &value = *dict.items[i + 1];
      expect(key, Kind::kText, "a key of the dict");
      expect(value, Kind::kTensor, "\"" + key.text.substr(0, 200) + "\"");
      if (!names.insert(key.text).second) refuse("\"{}\" is there twice", key.text.substr(0, 200));
      named.push_back(tensors_[value.tensor]);
      named.back().name = key.text;
    }
    return named;
  }

  std::span<const std::byte> bytes_;
  std::string_view where_;
  std::size_t at_ = 0;
  std::deque<Value> values_;
  std::vector<Value*> stack_;
  std::map<uint32_t, Value*> memo_;
  std::vector<PickledTensor> tensors_;
};

// Writing.

template <class T>
std::string little_endian(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string text(std::string_view value) {
  return "X" + little_endian(static_cast<uint32_t>(value.size())) + std::string(value);
}

std::string integer(int64_t value) {
  if (value <= INT32_MAX) return "J" + little_endian(static_cast<int32_t>(value));
  return "\x8a\x08" + little_endian(value);
}

std::string global(std::string_view name) {
  std::size_t dot = name.rfind('.');
  return fmt::format("c{}\n{}\n", name.substr(0, dot), name.substr(dot + 1));
}

std::string tuple(std::span<const int64_t> values) {
  std::string code = "(";
  for (int64_t value : values) code += integer(value);
  return code + "t";
}

std::string tensor_code(const PickledTensor& tensor) {
  const StorageName* storage = nullptr;
  for (const StorageName& known : kStorages) {
    if (known.dtype == tensor.dtype) storage = &known;
  }
  require(storage != nullptr, ErrorKind::kInput,
          "tensor \"{}\" is {}, which a torch file cannot hold", tensor.name,
          dtype_name(tensor.dtype));
  std::vector<int64_t> strides(tensor.sizes.size(), 1);
  for (std::size_t i = strides.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * std::max<int64_t>(tensor.sizes[i - 1], 1);
  std::string id = "(" + text("storage") + global(storage->global) + text(tensor.storage) +
                   text("cpu") + integer(tensor.storage_count) + "tQ";
  return global(kRebuildTensor) + "(" + id + integer(tensor.offset) + tuple(tensor.sizes) +
         tuple(strides) + "\x89" + global(kOrderedDict) + ")RtR";
}

}  // namespace

std::vector<PickledTensor> read_state_dict_pickle(std::span<const std::byte> bytes,
                                                  std::string_view where) {
  require(bytes.size() <= kMaxPickleBytes, ErrorKind::kInput,
          "{}: a pickle of {} bytes, more than the limit of {}", where, bytes.size(),
          kMaxPickleBytes);
  return Interpreter(bytes, where).run();
}

std::string write_state_dict_pickle(std::span<const PickledTensor> tensors) {
  std::string code = "\x80\x02}(";
  for (const PickledTensor& tensor : tensors) code += text(tensor.name) + tensor_code(tensor);
  return code + "u.";
}

}  // namespace inlay
