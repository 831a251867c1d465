#include "data/images/coco_images.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "data/dataset.h"
#include "data/splits.h"
#include "data/test_files.h"
#include "image/image.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// A picture of 40 x 20 pixels with one box of the category 3, the first of the two.
Json one_picture(const std::string& file) {
  Json image = {{"id", 1}, {"file_name", file}, {"width", 40}, {"height", 20}};
  Json box = {
      {"id", 5}, {"image_id", 1}, {"category_id", 3}, {"bbox", {10, 5, 20, 10}}, {"iscrowd", 1}};
  return {{"images", Json::array({image})},
          {"categories", {{{"id", 9}, {"name", "boat"}}, {{"id", 3}, {"name", "cat"}}}},
          {"annotations", Json::array({box})}};
}

class CocoImagesTest : public testing::Test {
 protected:
  // Not a picture: nothing is decoded here.
  void put(const std::string& name, const std::string& bytes = "x") {
    fs::create_directories(fs::path(folder_.path() + "/" + name).parent_path());
    folder_.write(name, bytes);
  }
  void put_json(const std::string& name, const Json& json) { put(name, json.dump()); }
  Dataset load(const std::vector<std::string>& classes = {}) {
    return load_dataset(
        {.from = {.paths = {folder_.path()}}, .kind = TaskKind::kImageBoxes, .classes = classes});
  }

  TestFolder folder_;
};

TEST_F(CocoImagesTest, BoxesAreSharesOfThePicture) {
  put("a.png");
  put_json("annotations.json", one_picture("a.png"));
  Dataset data = load();
  EXPECT_EQ(data.classes, (std::vector<std::string>{"cat", "boat"}));
  ASSERT_EQ(data.examples.size(), 1u);
  EXPECT_EQ(data.examples[0].text, "a.png");
  ASSERT_EQ(data.examples[0].boxes.size(), 1u);
  const ObjectBox& box = data.examples[0].boxes[0];
  EXPECT_EQ(box.class_id, 0);
  EXPECT_EQ(box.left, 0.25f);
  EXPECT_EQ(box.top, 0.25f);
  EXPECT_EQ(box.right, 0.75f);
  EXPECT_EQ(box.bottom, 0.75f);
  EXPECT_TRUE(box.crowd);
  EXPECT_FALSE(data.has_parts());
  EXPECT_EQ(data.columns.describe(), "text \"file_name\" (COCO), label \"category\" (COCO)");
}

TEST_F(CocoImagesTest, TheFilesOfAFolderAreItsParts) {
  put("train/a.png");
  put("images/b.png");
  put_json("train.json", one_picture("a.png"));
  put_json("val.json", one_picture("b.png"));
  Dataset data = load();
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].text, "train/a.png");
  EXPECT_EQ(data.examples[1].text, "images/b.png");
  EXPECT_EQ(data.part(1), Part::kValidation);
  EXPECT_EQ(data.files[0].rows, 1u);
  std::string hash = data.files[0].sha256;
  put("train/a.png", "another");
  EXPECT_NE(load().files[0].sha256, hash);
}

// One that EXIF turns would have its boxes elsewhere.
TEST_F(CocoImagesTest, APictureOfAnotherSizeIsRefused) {
  put_json("annotations.json", one_picture("a.png"));
  put("a.png", encode_png(blank_image(40, 20)));
  EXPECT_EQ(load().images->load(0).width, 40);
  put("a.png", encode_png(blank_image(20, 40)));
  EXPECT_INPUT_ERROR(load().images->load(0),
                     "is 20 x 40 (width x height), but the annotations are "
                     "for one of 40 x 20");
}

TEST_F(CocoImagesTest, ClassesAreThoseOfTheModelByName) {
  put("a.png");
  put_json("annotations.json", one_picture("a.png"));
  EXPECT_EQ(load({"dog", "boat", "cat"}).examples[0].boxes[0].class_id, 2);
  EXPECT_INPUT_ERROR(load({"dog", "boat"}), "a.png: unknown label \"cat\"");
}

TEST_F(CocoImagesTest, PicturesWithoutBoxesStay) {
  put("a.png");
  Json json = one_picture("a.png");
  json["annotations"][0]["bbox"] = {10, 5, 0, 10};  // left out
  put_json("annotations.json", json);
  Dataset data = load();
  ASSERT_EQ(data.examples.size(), 1u);
  EXPECT_TRUE(data.examples[0].boxes.empty());
}

TEST_F(CocoImagesTest, AreSplitWithoutRegardToClasses) {
  Json json = one_picture("0.png");
  for (int id = 0; id < 10; ++id) {
    std::string name = std::to_string(id) + ".png";
    put(name);
    json["images"][static_cast<std::size_t>(id)] = {
        {"id", id}, {"file_name", name}, {"width", 40}, {"height", 20}};
  }
  put_json("annotations.json", json);
  Split split = split_dataset(load(), {.seed = 1});
  EXPECT_EQ(split.train.size(), 8u);
  EXPECT_EQ(split.validation.size(), 1u);
  EXPECT_EQ(split.test.size(), 1u);
}

TEST_F(CocoImagesTest, RefuseWhatDoesNotFitTogether) {
  put("a.png");
  put_json("train.json", one_picture("a.png"));
  put_json("test.json", one_picture("b.png"));
  EXPECT_INPUT_ERROR(load(), "test.json: there is no file \"b.png\"");
  Json other = one_picture("a.png");
  other["categories"][0]["name"] = "ship";
  put_json("test.json", other);
  EXPECT_INPUT_ERROR(load(), "the categories are \"cat\", \"ship\", but those of");
  fs::remove(folder_.path() + "/test.json");
  put_json("train.json", Json{{"images", Json::array()},
                              {"categories", Json::array()},
                              {"annotations", Json::array()}});
  EXPECT_INPUT_ERROR(load(), "lists 0 pictures and 0 categories");
  fs::remove(folder_.path() + "/train.json");
  put("t.csv", "image,label\na.png,x\n");
  EXPECT_INPUT_ERROR(load(), "expected a .json file");
}

TEST_F(CocoImagesTest, DoNotLeaveTheFolder) {
  TestFolder outside;
  put_json("annotations.json", one_picture("../a.png"));
  EXPECT_INPUT_ERROR(load(), "leaves the folder");
  fs::create_symlink(outside.write("secret.png", "x"), folder_.path() + "/a.png");
  put_json("annotations.json", one_picture("a.png"));
  EXPECT_INPUT_ERROR(load(), "is a link that leaves the folder");
  fs::create_directory_symlink(outside.path(), folder_.path() + "/images");
  put_json("annotations.json", one_picture("secret.png"));
  EXPECT_INPUT_ERROR(load(), "is a link that leaves the folder");
}

}  // namespace
}  // namespace inlay
