#include "data/images/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxHeaderBytes = std::size_t{1} << 16;
constexpr std::size_t kMaxBytes = std::size_t{1} << 32;
constexpr std::size_t kMaxRank = 8;
constexpr std::string_view kMagic = "\x93NUMPY";

struct TypeInfo {
  NpyType type;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<TypeInfo, 7> kTypes = {{{NpyType::kU1, "u1", 1},
                                             {NpyType::kI1, "i1", 1},
                                             {NpyType::kI2, "i2", 2},
                                             {NpyType::kI4, "i4", 4},
                                             {NpyType::kI8, "i8", 8},
                                             {NpyType::kF4, "f4", 4},
                                             {NpyType::kF8, "f8", 8}}};

const TypeInfo& info_of(NpyType type) { return kTypes[static_cast<std::size_t>(type)]; }

// The dictionary, read from left to right.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  NpyHeader parse() {
    expect('{');
    while (!accepts('}')) {
      read_entry();
      if (!accepts(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!text_.empty()) wrong("nothing behind the dictionary");
    if (!type_ || !ordered_ || !shape_) wrong("the keys descr, fortran_order and shape");
    return {.type = *type_, .shape = *shape_};
  }

 private:
  [[noreturn]] void wrong(std::string_view expected) const {
    fail(ErrorKind::kInput, "{}: the header of an array goes on with {}; expected {}", where_,
         excerpt(text_, 40), expected);
  }

  void skip_blanks() {
    std::size_t first = text_.find_first_not_of(" \n");
    text_.remove_prefix(first == text_.npos ? text_.size() : first);
  }

  bool accepts(char wanted) {
    skip_blanks();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (!accepts(wanted)) wrong(std::string(1, wanted));
  }

  bool accepts_word(std::string_view word) {
    skip_blanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::string_view quoted() {
    char quote = accepts('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    std::size_t end = text_.find(quote);
    if (end == text_.npos) wrong("a string that ends");
    std::string_view inside = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return inside;
  }

  void read_entry() {
    std::string_view key = quoted();
    expect(':');
    if (key == "descr" && !type_) {
      type_ = read_type();
    } else if (key == "fortran_order" && !ordered_) {
      ordered_ = true;
      require(!accepts_word("True"), ErrorKind::kInput,
              "{}: the array is stored columns first (Fortran order); expected rows first; save it "
              "with numpy.ascontiguousarray",
              where_);
      if (!accepts_word("False")) wrong("True or False");
    } else if (key == "shape" && !shape_) {
      shape_ = read_shape();
    } else {
      fail(ErrorKind::kInput,
           "{}: the header of an array has {}; expected descr, fortran_order and shape, once each",
           where_, excerpt(key));
    }
  }

  NpyType read_type() {
    std::string_view text = quoted();
    for (const TypeInfo& info : kTypes) {
      bool order = text.starts_with('<') || (info.size == 1 && text.starts_with('|'));
      if (order && text.substr(1) == info.name) return info.type;
    }
    fail(ErrorKind::kInput, "{}: elements of type {}; expected |u1, |i1, <i2, <i4, <i8, <f4 or <f8",
         where_, excerpt(text));
  }

  std::vector<int64_t> read_shape() {
    std::vector<int64_t> shape;
    expect('(');
    while (!accepts(')')) {
      shape.push_back(read_size());
      if (shape.size() > kMaxRank) wrong("at most 8 sizes");
      if (!accepts(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  int64_t read_size() {
    skip_blanks();
    int64_t size = 0;
    auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
    if (error != std::errc() || size < 0) wrong("a size of 0 or more");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return size;
  }

  std::string_view text_;
  const std::string& where_;
  std::optional<NpyType> type_;
  std::optional<bool> ordered_;
  std::optional<std::vector<int64_t>> shape_;
};

std::size_t header_bytes(PackedReader& reader, const std::string& where) {
  std::array<uint8_t, 8> start{};
  reader.read(start);
  bool magic = std::equal(kMagic.begin(), kMagic.end(), start.begin(),
                          [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
  require(magic, ErrorKind::kInput, "{}: does not begin as an array of NumPy does", where);
  require(start[6] == 1 || start[6] == 2, ErrorKind::kInput,
          "{}: version {} of the array format; expected 1 or 2", where, start[6]);
  std::vector<uint8_t> length(start[6] == 1 ? 2 : 4);
  reader.read(length);
  std::size_t bytes = 0;
  for (std::size_t i = length.size(); i > 0; --i) bytes = bytes * 256 + length[i - 1];
  require(bytes <= kMaxHeaderBytes, ErrorKind::kInput,
          "{}: the header of an array has {} bytes; expected at most {}", where, bytes,
          kMaxHeaderBytes);
  return bytes;
}

std::size_t checked_bytes(const NpyHeader& header, std::size_t most, const std::string& where) {
  // A size of 0 must not hide what the others would come to.
  std::size_t bytes = info_of(header.type).size;
  for (int64_t size : header.shape) {
    require(size > 0, ErrorKind::kInput, "{}: the array has a size of 0; expected elements", where);
    bool fits = !__builtin_mul_overflow(bytes, static_cast<std::size_t>(size), &bytes) &&
                bytes <= kMaxBytes;
    require(fits, ErrorKind::kInput, "{}: the array has more than {} bytes, the limit", where,
            kMaxBytes);
  }
  require(bytes <= most, ErrorKind::kInput,
          "{}: the array's header tells of {} bytes, but there cannot be more than {}", where,
          bytes, most);
  return bytes;
}

template <class T>
double element(const std::vector<uint8_t>& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at * sizeof value, sizeof value);
  return static_cast<double>(value);
}

}  // namespace

std::string_view npy_type_name(NpyType type) { return info_of(type).name; }

NpyHeader parse_npy_header(std::string_view text, const std::string& where) {
  return HeaderText(text, where).parse();
}

std::size_t NpyArray::count() const { return bytes.size() / info_of(header.type).size; }

double NpyArray::value(std::size_t index) const {
  switch (header.type) {
    case NpyType::kU1:
      return bytes[index];
    case NpyType::kI1:
      return element<int8_t>(bytes, index);
    case NpyType::kI2:
      return element<int16_t>(bytes, index);
    case NpyType::kI4:
      return element<int32_t>(bytes, index);
    case NpyType::kI8:
      return element<int64_t>(bytes, index);
    case NpyType::kF4:
      return element<float>(bytes, index);
    case NpyType::kF8:
      return element<double>(bytes, index);
  }
  fail(ErrorKind::kInternal, "an element type without a reader");
}

NpyArray read_npy(PackedReader& reader, const std::string& where) {
  std::vector<uint8_t> text(header_bytes(reader, where));
  reader.read(text);
  NpyArray array;
  array.header = parse_npy_header(
      std::string_view(reinterpret_cast<const char*>(text.data()), text.size()), where);
  array.bytes.resize(checked_bytes(array.header, reader.most(), where));
  reader.read(array.bytes);
  reader.expect_end();
  return array;
}

}  // namespace inlay
