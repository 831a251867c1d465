#include "data/images/packed_reader.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "data/images/packed_test_bytes.h"
#include "data/test_files.h"

namespace inlay {
namespace {

std::string read(PackedReader& reader, std::size_t count) {
  std::vector<uint8_t> bytes(count);
  reader.read(bytes);
  return {bytes.begin(), bytes.end()};
}

TEST(PackedReader, ReadsPlainDeflatedAndGzippedBytesInPieces) {
  const std::string text = "abcdefgh", deflate = deflated(text), gzip = gzipped(text);
  for (auto [bytes, packing] :
       {std::pair(&text, PackedReader::kPlain), std::pair(&deflate, PackedReader::kDeflate),
        std::pair(&gzip, PackedReader::kGzip)}) {
    PackedReader reader(bytes_of(*bytes), packing, "x");
    EXPECT_EQ(read(reader, 3), "abc");
    EXPECT_EQ(read(reader, 5), "defgh");
    EXPECT_EQ(reader.crc(), 0xaeef2a50u);  // of "abcdefgh", the CRC-32 of gzip
    reader.expect_end();
  }
}

TEST(PackedReader, CrossesThePiecesThatItFeeds) {
  std::string text(3'000'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  std::string gzip = gzipped(text);
  PackedReader reader(bytes_of(gzip), PackedReader::kGzip, "x");
  EXPECT_EQ(read(reader, text.size()), text);
  reader.expect_end();
}

TEST(PackedReader, NamesWhatIsShortDamagedOrTooMuch) {
  std::string text = "abcdefgh", gzip = gzipped(text);
  PackedReader plain(bytes_of(text), PackedReader::kPlain, "a.bin");
  EXPECT_INPUT_ERROR(read(plain, 9), "a.bin: ends too early: 1 bytes are missing");
  PackedReader longer(bytes_of(gzip), PackedReader::kGzip, "a.gz");
  EXPECT_INPUT_ERROR(read(longer, 9), "a.gz: ends too early");
  PackedReader shorter(bytes_of(gzip), PackedReader::kGzip, "a.gz");
  read(shorter, 7);
  EXPECT_INPUT_ERROR(shorter.expect_end(), "more bytes follow");
  std::string cut = gzip.substr(0, gzip.size() - 10);
  PackedReader ending(bytes_of(cut), PackedReader::kGzip, "a.gz");
  EXPECT_INPUT_ERROR(read(ending, 8); ending.expect_end(), "end too early");
  std::string other = "no gzip at all";
  PackedReader damaged(bytes_of(other), PackedReader::kGzip, "a.gz");
  EXPECT_INPUT_ERROR(read(damaged, 1), "damaged");
  std::string twice = gzip + gzip;
  PackedReader trailing(bytes_of(twice), PackedReader::kGzip, "a.gz");
  read(trailing, 8);
  EXPECT_INPUT_ERROR(trailing.expect_end(), "more bytes follow");
}

TEST(PackedReader, BoundsWhatCanComeOut) {
  std::string zeros = deflated(std::string(1'000'000, '\0'));
  EXPECT_LT(zeros.size(), 1100u);
  PackedReader reader(bytes_of(zeros), PackedReader::kDeflate, "x");
  EXPECT_GE(reader.most(), 1'000'000u);
  EXPECT_LT(reader.most(), 1'200'000u);
}

}  // namespace
}  // namespace inlay
