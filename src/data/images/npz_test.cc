#include "data/images/npz.h"

#include <gtest/gtest.h>

#include "data/images/npz_test_files.h"
#include "data/test_files.h"

namespace inlay {
namespace {

NpyHeader npz_header(const std::string& text) { return parse_npy_header(text, "x.npy"); }
NpzFile archive(const std::string& bytes) { return NpzFile::parse(bytes, "x.npz"); }

TEST(NpyHeader, ReadsWhatNumPyWrites) {
  EXPECT_EQ(npz_header("{'descr': '<i8', 'fortran_order': False, 'shape': (3, 28), }   \n"),
            (NpyHeader{NpyType::kI8, {3, 28}}));
  EXPECT_EQ(npz_header("{'shape': (5,), 'fortran_order': False, 'descr': '|u1'}"),
            (NpyHeader{NpyType::kU1, {5}}));
  EXPECT_TRUE(npz_header("{\"descr\": '<f4', 'fortran_order': False, 'shape': ()}").shape.empty());
}

TEST(NpyHeader, RefusesEverythingElse) {
  auto with = [](const std::string& type, const std::string& order, const std::string& shape) {
    return "{'descr': " + type + ", 'fortran_order': " + order + ", 'shape': " + shape + "}";
  };
  EXPECT_INPUT_ERROR(npz_header(with("'>i4'", "False", "(1,)")),
                     "elements of type \">i4\"; expected");
  EXPECT_INPUT_ERROR(npz_header(with("'|O'", "False", "(1,)")), "elements of type \"|O\"");
  EXPECT_INPUT_ERROR(npz_header(with("[('a', '<i4')]", "False", "(1,)")), "expected \"");
  EXPECT_INPUT_ERROR(npz_header(with("'|u1'", "True", "(1,)")), "columns first");
  EXPECT_INPUT_ERROR(npz_header(with("'|u1'", "exit()", "(1,)")), "expected True or False");
  EXPECT_INPUT_ERROR(npz_header(with("'|u1'", "False", "(-1,)")), "a size of 0 or more");
  EXPECT_INPUT_ERROR(npz_header(with("'|u1'", "False", "(99999999999999999999,)")), "a size");
  EXPECT_INPUT_ERROR(npz_header(with("'|u1'", "False", "(1, 2")), "expected )");
  EXPECT_INPUT_ERROR(npz_header(with("'|u1'", "False", "(1,)") + "x"), "nothing behind");
  EXPECT_INPUT_ERROR(npz_header("{'descr': '|u1', 'descr': '|u1'}"), "once each");
  EXPECT_INPUT_ERROR(npz_header("{'descr': '|u1'}"), "the keys descr");
  EXPECT_INPUT_ERROR(npz_header("{'descr"), "a string that ends");
}

TEST(Npz, ReadsStoredAndDeflatedArraysOfEveryType) {
  for (bool compressed : {false, true}) {
    NpzFile file = archive(npz({{"b", npy("|u1", "(2, 1)", "\x07\xff")},
                                {"a", npy("<i4", "(1,)", std::string("\xfe\xff\xff\xff", 4))},
                                {"c", npy("<f4", "(2,)", std::string("\0\0\x80\x3f\0\0\0\xc0", 8))},
                                {"d", npy("<i8", "()", std::string("\x05\0\0\0\0\0\0\0", 8))},
                                {"e", npy("<f8", "(1,)", std::string("\0\0\0\0\0\0\xe0\x3f", 8))},
                                {"f", npy("|i1", "(1,)", "\xff")},
                                {"g", npy("<i2", "(1,)", std::string("\0\x01", 2))}},
                               compressed));
    EXPECT_EQ(file.names(), (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"}));
    EXPECT_EQ(file.array("b").header.shape, (std::vector<int64_t>{2, 1}));
    EXPECT_EQ(file.array("b").value(1), 255);
    EXPECT_EQ(file.array("a").value(0), -2);
    EXPECT_EQ(file.array("c").count(), 2u);
    EXPECT_EQ(file.array("c").value(1), -2.0);
    EXPECT_EQ(file.array("d").value(0), 5);
    EXPECT_EQ(file.array("e").value(0), 0.5);
    EXPECT_EQ(file.array("f").value(0), -1);
    EXPECT_EQ(file.array("g").value(0), 256);
    EXPECT_INPUT_ERROR(file.array("h"), "there is no array \"h\"; it has \"a\"");
  }
}

TEST(Npz, BelievesNoSize) {
  auto read = [](const std::string& bytes) {
    return archive(npz({{"a", bytes}}, true)).array("a");
  };
  EXPECT_INPUT_ERROR(read(npy("|u1", "(3,)", "ab")), "ends too early");
  EXPECT_INPUT_ERROR(read(npy("|u1", "(1,)", "ab")), "more bytes follow");
  EXPECT_INPUT_ERROR(read(npy("|u1", "(1000000000,)", "ab")), "tells of 1000000000 bytes, but");
  EXPECT_INPUT_ERROR(read(npy("<f8", "(4294967296, 4294967296)", "ab")), "the limit");
  EXPECT_INPUT_ERROR(read(npy("|u1", "(0, 9999999)", "")), "a size of 0");
  EXPECT_INPUT_ERROR(read("\x93NUMPY\x03" + std::string(20, '\0')), "version 3");
  EXPECT_INPUT_ERROR(read("not an array"), "does not begin as an array");
}

TEST(Npz, FindsDamage) {
  std::string good = npz({{"a", npy("|u1", "(4,)", "abcd")}}, false);
  EXPECT_EQ(archive(good).array("a").value(3), 'd');
  std::string changed = good;
  changed[good.find("abcd")] = 'x';
  EXPECT_INPUT_ERROR(archive(changed).array("a"), "damaged: the CRC-32");
  EXPECT_INPUT_ERROR(archive(good.substr(0, good.size() - 3)), "no zip directory");
  EXPECT_INPUT_ERROR(archive("PK"), "no zip directory");
  std::string moved = good;
  moved[moved.size() - 6] = '\x01';  // where the directory begins
  EXPECT_INPUT_ERROR(archive(moved), "zip directory");
  std::string twice = npz({{"a", npy("|u1", "(1,)", "a")}, {"a", npy("|u1", "(1,)", "a")}}, false);
  EXPECT_INPUT_ERROR(archive(twice), "is there twice");
}

TEST(Npz, OpensAFile) {
  TestFolder folder;
  std::string path = folder.write("x.npz", npz({{"a", npy("|u1", "(1,)", "z")}}, true));
  EXPECT_EQ(NpzFile::open(path).array("a").value(0), 'z');
}

}  // namespace
}  // namespace inlay
