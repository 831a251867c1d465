#include "data/images/idx.h"

#include <gtest/gtest.h>

#include "data/images/packed_test_bytes.h"
#include "data/test_files.h"

namespace inlay {
namespace {

std::string header(char rank, std::initializer_list<uint32_t> sizes) {
  std::string text{'\0', '\0', '\x08', rank};
  for (uint32_t size : sizes) text += big_endian(size);
  return text;
}

IdxArray idx_parse(const std::string& bytes) { return parse_idx(bytes_of(bytes), "x-ubyte"); }

TEST(Idx, ReadsLabelsAndPicturesPlainAndGzipped) {
  std::string labels = header(1, {3}) + "\x01\x02\xff";
  for (const std::string& bytes : {labels, gzipped(labels)}) {
    IdxArray array = idx_parse(bytes);
    EXPECT_EQ(array.sizes, (std::vector<int64_t>{3}));
    EXPECT_EQ(array.bytes, (std::vector<uint8_t>{1, 2, 255}));
  }
  IdxArray grey = idx_parse(header(3, {2, 1, 2}) + "abcd");
  EXPECT_EQ(grey.sizes, (std::vector<int64_t>{2, 1, 2}));
  EXPECT_EQ(grey.bytes[3], 'd');
  EXPECT_EQ(idx_parse(header(4, {1, 1, 1, 3}) + "abc").sizes.back(), 3);
}

TEST(Idx, RefusesWhatIsNotOne) {
  EXPECT_INPUT_ERROR(idx_parse("\x01"), "x-ubyte: ends too early");
  EXPECT_INPUT_ERROR(idx_parse("PNG..."), "begins with 50 4e; expected the 00 00");
  EXPECT_INPUT_ERROR(idx_parse(std::string("\0\0\x0d\x01", 4)), "element type 0x0d; expected 0x08");
  EXPECT_INPUT_ERROR(idx_parse(header(2, {1, 1}) + "a"), "rank 2; expected 1");
  EXPECT_INPUT_ERROR(idx_parse(header(4, {1, 1, 1, 4}) + "abcd"), "4 channels; expected 3");
  EXPECT_INPUT_ERROR(idx_parse(header(1, {0})), "size 0 is 0");
}

TEST(Idx, BelievesNoSize) {
  EXPECT_INPUT_ERROR(idx_parse(header(1, {4}) + "abc"), "1 bytes are missing");
  EXPECT_INPUT_ERROR(idx_parse(header(1, {2}) + "abc0123456789"), "more bytes follow");
  EXPECT_INPUT_ERROR(idx_parse(header(3, {0xffffffff, 0xffffffff, 0xffffffff})), "the limit");
  EXPECT_INPUT_ERROR(idx_parse(gzipped(header(1, {1u << 30}) + "abc")), "cannot hold more than");
  EXPECT_INPUT_ERROR(idx_parse(gzipped(header(1, {100}) + "abc")), "ends too early");
}

TEST(Idx, ReadsAFileAndNamesOneThatIsMissing) {
  TestFolder folder;
  EXPECT_EQ(read_idx(folder.write("a", header(1, {1}) + "\x07")).bytes[0], 7);
  EXPECT_INPUT_ERROR(read_idx(folder.path() + "/b"), "/b: cannot open");
}

}  // namespace
}  // namespace inlay
