#include "data/images/image_data.h"

#include <gtest/gtest.h>

#include "data/images/npz_test_files.h"
#include "data/images/pixel_store.h"
#include "data/images/read_images.h"
#include "data/test_files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// A grey or coloured array as an IDX file.
std::string idx(const std::vector<uint32_t>& sizes, const std::string& bytes) {
  std::string text{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (uint32_t size : sizes) text += big_endian(size);
  return text + bytes;
}

class ImageDataTest : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& bytes = "x") {
    fs::create_directories(fs::path(folder_.path() + "/" + name).parent_path());
    return folder_.write(name, bytes);
  }
  ImageData load(const ImageDataSpec& spec = {}) {
    return load_image_data({.paths = {folder_.path()}}, spec);
  }
  void put_idx(const std::string& card) {
    put("dataset.json", card);
    put("x", idx({3, 1, 2}, "abcdef"));
    put("y", idx({3}, std::string("\0\1\0", 3)));
    put("tx", gzipped(idx({1, 1, 2}, "gh")));
    put("ty", idx({1}, std::string("\1", 1)));
  }

  TestFolder folder_;
};

constexpr const char* kCard =
    R"({"format": "idx", "train": ["x", "y"], "test": ["tx", "ty"], "labels": ["shirt", "bag"]})";

TEST_F(ImageDataTest, ReadsIdxFilesWithTheNamesOfTheirClasses) {
  put_idx(kCard);
  ImageData data = load();
  EXPECT_EQ(data.classes, (std::vector<std::string>{"shirt", "bag"}));
  ASSERT_EQ(data.examples.size(), 4u);
  EXPECT_EQ(data.examples[1].class_id, 1);
  EXPECT_EQ(data.examples[3].class_id, 1);
  EXPECT_EQ(data.examples[3].file, 1u);
  EXPECT_EQ(data.files[1].part, Part::kTest);
  EXPECT_EQ(data.files[0].rows, 3u);
  EXPECT_NE(data.files[0].sha256, data.files[1].sha256);
  Image image = data.images->load(3);
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.height, 1);
  EXPECT_EQ(image.rgb, (std::vector<uint8_t>{'g', 'g', 'g', 'h', 'h', 'h'}));
  EXPECT_EQ(data.images->place(3), "tx, item 1");
  EXPECT_EQ(data.examples[2].text, "x, item 3");
}

TEST_F(ImageDataTest, RefusesIdxFilesThatDoNotMatch) {
  put_idx(R"({"format": "idx", "train": ["x", "y"], "labels": ["shirt"]})");
  EXPECT_INPUT_ERROR(load(), "item 2: label 1, but dataset.json names 1 classes");
  put_idx(R"({"format": "idx", "train": ["x", "ty"]})");
  EXPECT_INPUT_ERROR(load(), "found 1 labels of rank 1 for 3 pictures");
  put_idx(R"({"format": "idx", "train": ["y", "x"]})");
  EXPECT_INPUT_ERROR(load(), "shape (3); expected pictures");
  put_idx(R"({"format": "idx", "train": ["../x", "y"]})");
  EXPECT_INPUT_ERROR(load(), "not a plain file name");
  put_idx(R"({"format": "idx", "test": ["x", "y"]})");
  EXPECT_INPUT_ERROR(load(), "there is no \"train\"");
  put_idx(R"({"format": "tar"})");
  EXPECT_INPUT_ERROR(load(), "format \"tar\"; expected \"idx\" or \"image-folder\"");
}

std::string medmnist(const std::string& labels_shape, const std::string& labels) {
  return npz({{"train_images", npy("|u1", "(2, 1, 1, 3)", "abcdef")},
              {"train_labels", npy("|u1", labels_shape, labels)},
              {"val_images", npy("|u1", "(1, 2, 1)", "gh")},
              {"val_labels", npy("|u1", "(1, 1)", "\1")},
              {"note", npy("<f4", "(1,)", "....")}},
             true);
}

TEST_F(ImageDataTest, ReadsTheArraysOfMedMnist) {
  std::string path = put("a.npz", medmnist("(2, 1)", std::string("\1\0", 2)));
  ImageData data = load_image_data({.paths = {path}}, {});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(data.examples[0].class_id, 1);
  EXPECT_EQ(data.files[1].part, Part::kValidation);
  EXPECT_EQ(data.images->load(1).rgb, (std::vector<uint8_t>{'d', 'e', 'f'}));
  EXPECT_EQ(data.images->load(2).height, 2);
  EXPECT_EQ(data.images->place(2), "a.npz: val_images, item 1");
}

TEST_F(ImageDataTest, ReadsSeveralLabelsAndNumbersOfMedMnist) {
  std::string bytes = npz({{"train_images", npy("|u1", "(2, 1, 1)", "ab")},
                           {"train_labels", npy("|u1", "(2, 3)", std::string("\1\0\1\0\0\0", 6))}},
                          false);
  DataPaths from{.paths = {put("a.npz", bytes)}};
  ImageData sets = load_image_data(from, {.kind = TaskKind::kImageLabels});
  EXPECT_EQ(sets.classes, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(sets.examples[0].class_ids, (std::vector<std::int32_t>{0, 2}));
  EXPECT_TRUE(sets.examples[1].class_ids.empty());
  ImageData numbers = load_image_data(from, {.kind = TaskKind::kImageValues});
  EXPECT_EQ(numbers.examples[0].values, (std::vector<float>{1, 0, 1}));
  EXPECT_INPUT_ERROR(load_image_data(from, {}), "3 labels for each picture; expected one");
  std::string path = put("b.npz", medmnist("(2, 1)", std::string("\1\1", 2)));
  EXPECT_INPUT_ERROR(load_image_data({.paths = {path}}, {}), "there is one class only (\"1\")");
  path = put("c.npz", npz({{"images", npy("|u1", "(1,)", "a")}}, false));
  EXPECT_INPUT_ERROR(load_image_data({.paths = {path}}, {}), "there is no array train_images");
}

TEST_F(ImageDataTest, ReadsATableOfPaths) {
  put("in/a.png");
  put("in/b.png");
  put("metadata.csv", "file_name,label,patient\nin/b.png,cat,p1\nin/a.png,dog,\n");
  ImageData data = load();
  EXPECT_EQ(data.examples[0].text, "in/b.png");
  EXPECT_EQ(data.examples[0].class_id, 0);
  EXPECT_EQ(data.examples[0].group, "p1");
  EXPECT_EQ(data.examples[1].group, "");
  EXPECT_EQ(data.examples[1].line, 3u);
  EXPECT_EQ(data.columns.text.name, "file_name");
  EXPECT_EQ(data.columns.label.name, "label");
  std::string hash = data.files[0].sha256;
  put("in/a.png", "another");
  EXPECT_NE(load().files[0].sha256, hash);
}

TEST_F(ImageDataTest, ReadsSetsOfLabelsAndNumbersFromJsonLines) {
  put("a.png");
  put("data.jsonl", "{\"image\": \"a.png\", \"labels\": [\"x\", \"b\"], \"value\": [1.5, 2]}\n");
  EXPECT_EQ(load({.kind = TaskKind::kImageLabels}).examples[0].class_ids,
            (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(load({.kind = TaskKind::kImageValues}).examples[0].values,
            (std::vector<float>{1.5f, 2.0f}));
}

TEST_F(ImageDataTest, RefusesTablesThatLeaveTheirFolderOrSayTooLittle) {
  put("a.png");
  put("t.csv", "image,label\na.png,x\n../b.png,y\n");
  EXPECT_INPUT_ERROR(load(), "t.csv: line 3: column \"image\": \"../b.png\" leaves the folder");
  put("t.csv", "image,label\na.png,x\na.png,\n");
  EXPECT_INPUT_ERROR(load(), "expected a label");
  put("t.csv", "image,who\na.png,x\n");
  EXPECT_INPUT_ERROR(load(), "no column looks like a label");
  put("t.csv", "who,label\na.png,x\n");
  EXPECT_INPUT_ERROR(load(), "no column looks like the paths of pictures");
  put("t.csv", "image,value\na.png,1\na.png,nan\n");
  EXPECT_INPUT_ERROR(load({.kind = TaskKind::kImageValues}), "expected a finite number");
}

TEST_F(ImageDataTest, ReadsTablesInTheFoldersOfTheParts) {
  for (const char* name : {"train/a.png", "train/b.png", "test/a.png"}) put(name);
  put("train/metadata.csv", "file_name,label\na.png,x\nb.png,y\n");
  put("test/metadata.csv", "file_name,label\na.png,y\n");
  ImageData data = load();
  ASSERT_EQ(data.examples.size(), 3u);
  EXPECT_EQ(data.files[1].part, Part::kTest);
  EXPECT_EQ(data.examples[2].class_id, 1);
}

TEST_F(ImageDataTest, TakesFoldersAndGroupsOfACard) {
  for (const char* name : {"a/1.png", "a/2.png", "b/3.png"}) put(name);
  put("labels.csv", "not,read\n1,2\n");
  put("dataset.json", R"({"format": "image-folder", "groups": {"a/1.png": "g", "a/2.png": "g"}})");
  ImageData data = load();
  EXPECT_EQ(data.classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(data.examples[1].group, "g");
  EXPECT_EQ(data.examples[2].group, "");
}

TEST_F(ImageDataTest, RefusesAClassOfTheTestPartOnlyAndASingleClass) {
  for (const char* name : {"train/a/1.png", "train/b/1.png", "test/c/2.png"}) put(name);
  EXPECT_INPUT_ERROR(load(), "test/c/2.png: unknown label \"c\"; expected one of \"a\", \"b\"");
  EXPECT_EQ(load({.classes = {"c", "b", "a"}}).examples[0].class_id, 2);
  EXPECT_INPUT_ERROR(load_image_data({.paths = {folder_.path() + "/test"}}, {}),
                     "one class only (\"c\")");
}

TEST_F(ImageDataTest, AnIdentityIsAGroupAndMayBeInAnyPart) {
  for (const char* name :
       {"train/tom/1.png", "train/tom/2.png", "train/ann/1.png", "test/joe/2.png"})
    put(name);
  ImageData data = load({.kind = TaskKind::kImageIdentity});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"ann", "joe", "tom"}));
  EXPECT_EQ(data.examples[2].class_id, 2);
  EXPECT_EQ(data.examples[2].group, "tom");
  EXPECT_EQ(data.examples[3].class_id, 1);
  // Those that are known already keep their numbers.
  ImageData later = load({.kind = TaskKind::kImageIdentity, .classes = {"tom", "eve"}});
  EXPECT_EQ(later.classes, (std::vector<std::string>{"tom", "eve", "ann", "joe"}));
  EXPECT_EQ(later.examples[3].class_id, 3);
  EXPECT_EQ(load({.kind = TaskKind::kImageIdentity, .targets = false}).examples[2].group, "");
}

TEST_F(ImageDataTest, ReadsIdentitiesFromTablesAndArrays) {
  put("a.png");
  put("b.png");
  put("t.csv", "image,label,group\na.png,tom,g\nb.png,ann,h\n");
  ImageData table = load({.kind = TaskKind::kImageIdentity});
  EXPECT_EQ(table.examples[0].class_id, 1);
  EXPECT_EQ(table.examples[0].group, "tom");
  put("t.csv", "image,label,group\na.png,tom,g\nb.png,ann,g\n");
  EXPECT_INPUT_ERROR(load({.kind = TaskKind::kImageIdentity}), "group \"g\" has two identities");
  std::string path = put("a.npz", medmnist("(2, 1)", std::string("\1\0", 2)));
  ImageData arrays = load_image_data({.paths = {path}}, {.kind = TaskKind::kImageIdentity});
  EXPECT_EQ(arrays.examples[0].class_id, 1);
  EXPECT_EQ(arrays.examples[2].group, "1");
}

TEST_F(ImageDataTest, TakesFoldersForTheParts) {
  for (const char* name : {"one/a/1.png", "one/b/1.png", "two/b/2.png"}) put(name);
  std::string one = folder_.path() + "/one", two = folder_.path() + "/two";
  ImageData data = load_image_data({.train = one, .test = two}, {});
  EXPECT_EQ(data.examples[2].text, two + "/b/2.png");
  EXPECT_EQ(data.files[1].part, Part::kTest);
}

TEST_F(ImageDataTest, TakesPicturesByThemselvesWhereNoTargetsAreWanted) {
  Image image{.width = 2, .height = 1, .rgb = {1, 2, 3, 4, 5, 6}};
  DataPaths from{.paths = {put("a.png", encode_png(image))}};
  ImageData data = load_image_data(from, {.targets = false});
  EXPECT_EQ(data.images->load(0), image);
  EXPECT_EQ(data.examples[0].class_id, -1);
  EXPECT_INPUT_ERROR(load_image_data(from, {}), "is a picture, of which nobody knows the label");
  from.paths = {put("b.png", "no picture")};
  EXPECT_INPUT_ERROR(load_image_data(from, {.targets = false}).images->load(0), "b.png");
}

TEST_F(ImageDataTest, BecomesADataset) {
  put_idx(kCard);
  Dataset data;
  read_image_examples({.from = {.paths = {folder_.path()}}, .kind = TaskKind::kImageLabel}, data);
  EXPECT_EQ(data.kind, TaskKind::kImageLabel);
  EXPECT_TRUE(data.has_parts());
  EXPECT_EQ(data.part(3), Part::kTest);
  EXPECT_EQ(data.images->size(), data.examples.size());
  EXPECT_EQ(data.classes.size(), 2u);
}

TEST(PixelStore, FindsAPictureInItsBlock) {
  PixelStore store;
  store.add({1, 1, 1}, {7}, "a");
  store.add({2, 1, 1, 3}, {1, 2, 3, 4, 5, 6}, "b");
  EXPECT_EQ(store.size(), 3u);
  EXPECT_EQ(store.load(0).rgb, (std::vector<uint8_t>{7, 7, 7}));
  EXPECT_EQ(store.load(2).rgb, (std::vector<uint8_t>{4, 5, 6}));
  EXPECT_EQ(store.place(1), "b, item 1");
  EXPECT_INPUT_ERROR(store.add({2, 2}, {}, "c"), "c: shape (2, 2); expected pictures");
}

}  // namespace
}  // namespace inlay
