// Bytes that stand in a file as they are, deflated (RFC 1951) or gzipped (RFC 1952), read from
// front to back into memory that the caller has already found reasonable.
//
//   PackedReader reader(file.bytes(), PackedReader::kGzip, "train-labels.gz");
//   reader.read(header);
//   require(size_of(header) <= reader.most(), ...);    // before anything is allocated for it
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace inlay {

class PackedReader {
 public:
  enum Packing { kPlain, kDeflate, kGzip };

  // The bytes must outlive the reader; `where` names them in messages.
  PackedReader(std::span<const std::byte> bytes, Packing packing, std::string where);
  ~PackedReader();
  PackedReader(const PackedReader&) = delete;
  PackedReader& operator=(const PackedReader&) = delete;

  // Fills dst with what comes next. kInput where there is less, or where it is damaged.
  void read(std::span<uint8_t> dst);
  // kInput where something follows.
  void expect_end();
  // More bytes than this cannot come out of all that was given: deflate makes at most 1,032 bytes
  // of one.
  std::size_t most() const { return most_; }
  // CRC-32 of what was read until now.
  uint32_t crc() const { return crc_; }

 private:
  struct Inflater;
  std::size_t copy_some(std::span<uint8_t> dst);
  std::size_t inflate_some(std::span<uint8_t> dst);

  std::span<const std::byte> rest_;
  std::string where_;
  std::size_t most_;
  uint32_t crc_ = 0;
  std::unique_ptr<Inflater> inflater_;  // none for kPlain
};

}  // namespace inlay
