// Reads the fields of one protobuf message in the order in which they stand. Nothing is trusted:
// lengths that reach past the message, groups and over-long numbers are Errors.
//
//   ProtobufReader fields(bytes, "tokenizer.model");
//   while (fields.next()) {
//     if (fields.number() == 1) name = fields.bytes();
//   }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inlay::text {

class ProtobufReader {
 public:
  // REQUIRES: the bytes and `place`, which messages name, outlive the reader.
  ProtobufReader(std::string_view message, const std::string& place)
      : message_(message), place_(place) {}

  // Goes to the next field; false after the last one.
  bool next();
  uint64_t number() const { return number_; }

  // The value of the field; one of another kind is an Error.
  uint64_t integer() const;
  bool flag() const { return integer() != 0; }
  float real() const;
  std::string_view bytes() const;

 private:
  enum class Wire : uint8_t { kInteger = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  uint64_t read_integer();
  std::string_view read_bytes(uint64_t length);
  void expect(Wire wire, const char* what) const;

  std::string_view message_;
  const std::string& place_;
  std::size_t at_ = 0;
  uint64_t number_ = 0;
  Wire wire_ = Wire::kInteger;
  uint64_t integer_ = 0;
  std::string_view bytes_;
};

}  // namespace inlay::text
