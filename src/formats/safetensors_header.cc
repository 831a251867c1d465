#include "formats/safetensors_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace inlay {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is used in place");

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr uint64_t kMaxInteger = uint64_t{1}
                                 << 63;  // sizes and offsets stay below: they fit int64_t

struct StoredType {
  std::string_view name;
  uint64_t bits;
};

constexpr std::array<StoredType, 22> kStoredTypes = {
    {{"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
     {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
     {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
     {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
     {"I64", 64},        {"U64", 64}}};

const StoredType* find_type(std::string_view name) {
  for (const StoredType& type : kStoredTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

std::string printable(std::string_view name) { return std::string(name.substr(0, 200)); }

// Takes the parser's events one by one, so that no JSON tree is ever built and a wrong value stops
// the parse at once.
//   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"key":
//   "text"}}
class HeaderEvents : public nlohmann::json_sax<Json> {
 public:
  HeaderEvents(std::string_view where, SafetensorsHeader& header)
      : where_(where), header_(header) {}

  bool null() override { refuse("null"); }
  bool boolean(bool value) override { refuse(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { refuse(fmt::format("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override { refuse(text); }
  bool binary(binary_t&) override { refuse("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      check_integer(value);
      entry().sizes.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::kOffsets && offsets_ < 2) {
      check_integer(value);
      (offsets_++ == 0 ? entry().begin : entry().end) = value;
    } else {
      refuse(fmt::format("{}", value));
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = std::move(value);
    } else if (place_ == Place::kEntry && key_ == "dtype") {
      const StoredType* type = find_type(value);
      require(type != nullptr, ErrorKind::kInput, "{}: tensor \"{}\" has the unknown dtype \"{}\"",
              where_, printable(entry().name), printable(value));
      entry().dtype_name = type->name;
      entry().dtype = dtype_from_name(type->name);
    } else {
      refuse("\"" + printable(value) + "\"");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop && key_ == "__metadata__") {
      place_ = Place::kMetadata;
    } else if (place_ == Place::kTop) {
      place_ = Place::kEntry;
      seen_ = 0;
      header_.entries.push_back({.name = key_, .dtype_name = {}, .dtype = {}, .sizes = {}});
    } else {
      refuse("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kEntry) {
      require(seen_ == 7, ErrorKind::kInput, "{}: tensor \"{}\" lacks {}", where_,
              printable(entry().name),
              (seen_ & 1) == 0   ? "\"dtype\""
              : (seen_ & 2) == 0 ? "\"shape\""
                                 : "\"data_offsets\"");
    }
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::kEntry || key_ == "dtype") refuse("an array");
    place_ = key_ == "shape" ? Place::kShape : Place::kOffsets;
    offsets_ = 0;
    return true;
  }

  bool end_array() override {
    require(place_ == Place::kShape || offsets_ == 2, ErrorKind::kInput,
            "{}: data_offsets of tensor \"{}\" has {} numbers; expected 2", where_,
            printable(entry().name), offsets_);
    place_ = Place::kEntry;
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::kEntry) {
      int bit = name == "dtype" ? 1 : name == "shape" ? 2 : name == "data_offsets" ? 4 : 0;
      require(bit != 0, ErrorKind::kInput,
              "{}: tensor \"{}\" has the unknown key \"{}\"; expected dtype, shape and "
              "data_offsets only",
              where_, printable(entry().name), printable(name));
      require((seen_ & bit) == 0, ErrorKind::kInput, "{}: tensor \"{}\" has \"{}\" twice", where_,
              printable(entry().name), name);
      seen_ |= bit;
    } else {
      auto& names = place_ == Place::kMetadata ? metadata_keys_ : names_;
      require(names.insert(name).second, ErrorKind::kInput,
              "{}: key \"{}\" appears twice in the header", where_, printable(name));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    fail(ErrorKind::kInput, "{}: the header is not valid JSON: {}", where_,
         std::string(error.what()).substr(0, 300));
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kEntry, kShape, kOffsets, kEnd };

  SafetensorsEntry& entry() { return header_.entries.back(); }

  void check_integer(uint64_t value) const {
    require(value < kMaxInteger, ErrorKind::kInput,
            "{}: tensor \"{}\" has {} in its {}; expected less than 2^63", where_,
            printable(header_.entries.back().name), value, key_);
  }

  [[noreturn]] void refuse(const std::string& found) const {
    switch (place_) {
      case Place::kMetadata:
        fail(ErrorKind::kInput, "{}: __metadata__ \"{}\" is {}; expected a string", where_,
             printable(key_), found);
      case Place::kShape:
        fail(ErrorKind::kInput,
             "{}: the shape of tensor \"{}\" holds {}; expected integers of 0 or more", where_,
             printable(header_.entries.back().name), found);
      case Place::kOffsets:
        fail(ErrorKind::kInput,
             "{}: data_offsets of tensor \"{}\" holds {}; expected exactly two integers", where_,
             printable(header_.entries.back().name), found);
      case Place::kEntry:
        fail(ErrorKind::kInput, "{}: \"{}\" of tensor \"{}\" is {}; expected {}", where_, key_,
             printable(header_.entries.back().name), found,
             key_ == "dtype" ? "a string" : "an array of integers");
      default:
        fail(ErrorKind::kInput, "{}: the header holds {} for \"{}\"; expected an object", where_,
             found, printable(key_));
    }
  }

  std::string_view where_;
  SafetensorsHeader& header_;
  Place place_ = Place::kStart;
  std::string key_;
  std::set<std::string> names_;
  std::set<std::string> metadata_keys_;
  int seen_ = 0;     // bits of the keys of the entry being read
  int offsets_ = 0;  // how many numbers of data_offsets were read
};

uint64_t header_length(std::span<const std::byte> file, std::string_view where) {
  require(file.size() >= 8, ErrorKind::kInput,
          "{}: {} bytes, too small for a safetensors file (the header's length alone takes 8)",
          where, file.size());
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  require(
      length <= kMaxHeaderBytes, ErrorKind::kInput,
      "{}: the header claims {} bytes, more than the limit of {}; this is not a safetensors file",
      where, length, kMaxHeaderBytes);
  require(length <= file.size() - 8, ErrorKind::kInput,
          "{}: the header claims {} bytes, but only {} follow; the file is cut short", where,
          length, file.size() - 8);
  return length;
}

// What the parser would let pass: a byte order mark before the object, and a NUL, which it takes
// for the end.
void check_header_text(std::string_view text, std::string_view where) {
  std::size_t first = text.find_first_not_of(" \t\r\n");
  require(first != text.npos && text[first] == '{', ErrorKind::kInput,
          "{}: the header does not begin with '{{'", where);
  std::size_t nul = text.find('\0');
  require(nul == text.npos, ErrorKind::kInput, "{}: the header has a NUL byte at {}", where, nul);
}

uint64_t data_bytes(const SafetensorsEntry& entry, std::string_view where) {
  uint64_t bits = find_type(entry.dtype_name)->bits;
  for (int64_t size : entry.sizes) {
    require(!__builtin_mul_overflow(bits, static_cast<uint64_t>(size), &bits), ErrorKind::kInput,
            "{}: the sizes of tensor \"{}\" multiply to more than 2^64 bits", where,
            printable(entry.name));
  }
  require(bits % 8 == 0, ErrorKind::kInput,
          "{}: tensor \"{}\" ends in the middle of a byte: {} bits of {}", where,
          printable(entry.name), bits, entry.dtype_name);
  return bits / 8;
}

void check_layout(const SafetensorsHeader& header, uint64_t data_size, std::string_view where) {
  uint64_t at = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    require(entry.begin <= entry.end, ErrorKind::kInput,
            "{}: tensor \"{}\" has data_offsets [{}, {}], which run backwards", where,
            printable(entry.name), entry.begin, entry.end);
    require(entry.begin == at, ErrorKind::kInput,
            "{}: tensor \"{}\" begins at byte {} of the data; expected {}, where the one before "
            "ends ({})",
            where, printable(entry.name), entry.begin, at,
            entry.begin < at ? "they overlap" : "there is a hole");
    uint64_t bytes = data_bytes(entry, where);
    require(entry.end - entry.begin == bytes, ErrorKind::kInput,
            "{}: tensor \"{}\" has {} bytes; its dtype {} and shape need {}", where,
            printable(entry.name), entry.end - entry.begin, entry.dtype_name, bytes);
    at = entry.end;
  }
  require(at == data_size, ErrorKind::kInput,
          "{}: the tensors need {} bytes of data, the file has {} ({})", where, at, data_size,
          at > data_size ? "it is cut short" : "something follows them");
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file,
                                           std::string_view where) {
  uint64_t length = header_length(file, where);
  std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, length);
  check_header_text(text, where);
  SafetensorsHeader header;
  header.data_begin = 8 + length;
  HeaderEvents events(where, header);
  Json::sax_parse(text.begin(), text.end(), &events);
  std::stable_sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_layout(header, file.size() - header.data_begin, where);
  return header;
}

}  // namespace inlay
