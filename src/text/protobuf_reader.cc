#include "text/protobuf_reader.h"

#include <bit>

#include "base/error.h"

namespace inlay::text {

uint64_t ProtobufReader::read_integer() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    require(at_ < message_.size(), ErrorKind::kInput,
            "{}: a protobuf message of {} bytes ends inside a number", place_, message_.size());
    const auto byte = static_cast<uint8_t>(message_[at_++]);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  fail(ErrorKind::kInput, "{}: a protobuf number at byte {} has more than 10 bytes", place_, at_);
}

std::string_view ProtobufReader::read_bytes(uint64_t length) {
  require(length <= message_.size() - at_, ErrorKind::kInput,
          "{}: a protobuf field at byte {} says it has {} bytes, where {} are left", place_, at_,
          length, message_.size() - at_);
  const auto size = static_cast<std::size_t>(length);
  const std::string_view found = message_.substr(at_, size);
  at_ += size;
  return found;
}

bool ProtobufReader::next() {
  if (at_ == message_.size()) return false;
  const uint64_t key = read_integer();
  number_ = key >> 3;
  require(number_ > 0, ErrorKind::kInput, "{}: a protobuf field at byte {} has the number 0",
          place_, at_);
  wire_ = static_cast<Wire>(key & 7);
  switch (wire_) {
    case Wire::kInteger:
      integer_ = read_integer();
      return true;
    case Wire::kFixed64:
      bytes_ = read_bytes(8);
      return true;
    case Wire::kBytes:
      bytes_ = read_bytes(read_integer());
      return true;
    case Wire::kFixed32:
      bytes_ = read_bytes(4);
      return true;
  }
  fail(ErrorKind::kInput,
       "{}: a protobuf field at byte {} has the wire type {}; expected 0, 1, 2 or 5", place_, at_,
       key & 7);
}

void ProtobufReader::expect(Wire wire, const char* what) const {
  require(wire_ == wire, ErrorKind::kInput,
          "{}: protobuf field {} has the wire type {}; expected {}", place_, number_,
          static_cast<int>(wire_), what);
}

uint64_t ProtobufReader::integer() const {
  expect(Wire::kInteger, "0, a number");
  return integer_;
}

float ProtobufReader::real() const {
  expect(Wire::kFixed32, "5, a float");
  uint32_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<uint8_t>(bytes_[i]);
  return std::bit_cast<float>(bits);
}

std::string_view ProtobufReader::bytes() const {
  expect(Wire::kBytes, "2, bytes");
  return bytes_;
}

}  // namespace inlay::text
