#include "data/images/coco.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "data/test_files.h"

namespace inlay {
namespace {

Json small() {
  return {{"images",
           {{{"id", 9}, {"file_name", "b.jpg"}, {"width", 40}, {"height", 30}},
            {{"id", 4}, {"file_name", "in/a.jpg"}, {"width", 20}, {"height", 10}}}},
          {"categories", {{{"id", 90}, {"name", "boat"}}, {{"id", 3}, {"name", "cat"}}}},
          {"annotations",
           {{{"id", 2},
             {"image_id", 4},
             {"category_id", 90},
             {"bbox", {1.5, 2, 3, 4}},
             {"area", 7.5},
             {"iscrowd", 1}},
            {{"id", 1}, {"image_id", 4}, {"category_id", 3}, {"bbox", {0, 0, 20.5, 10}}}}}};
}

CocoData parse(const Json& json) { return parse_coco(json.dump(), "a.json"); }

TEST(Coco, ReadsBoxesOfCategoriesWhoseNumbersHaveGaps) {
  CocoData data = parse(small());
  EXPECT_EQ(data.categories, (std::vector<std::string>{"cat", "boat"}));
  EXPECT_EQ(data.category_ids, (std::vector<int64_t>{3, 90}));
  ASSERT_EQ(data.images.size(), 2u);
  EXPECT_EQ(data.images[0].file, "in/a.jpg");
  ASSERT_EQ(data.images[0].boxes.size(), 2u);
  EXPECT_TRUE(data.images[1].boxes.empty());
  const CocoBox& box = data.images[0].boxes[1];
  EXPECT_EQ(box.x, 1.5);
  EXPECT_EQ(box.height, 4);
  EXPECT_EQ(box.area, 7.5);
  EXPECT_EQ(box.category, 1u);
  EXPECT_TRUE(box.crowd);
}

TEST(Coco, ClipsABoxByAPixelAndTakesItsAreaWhereNoneIsGiven) {
  CocoData data = parse(small());
  const CocoBox& box = data.images[0].boxes[0];
  EXPECT_EQ(box.width, 20);
  EXPECT_EQ(box.area, 205);
  EXPECT_FALSE(box.crowd);
}

TEST(Coco, CountsAndNamesBoxesThatAreEmptyOrOutside) {
  Json json = small();
  json["annotations"][0]["bbox"] = {5, 5, 0, 3};
  json["annotations"][1]["bbox"] = {20, 0, 10, 5};
  CocoData data = parse(json);
  EXPECT_EQ(data.empty.count, 1u);
  EXPECT_EQ(data.empty.first, (std::vector<std::string>{"annotation 2 of in/a.jpg"}));
  EXPECT_EQ(data.outside.first, (std::vector<std::string>{"annotation 1 of in/a.jpg"}));
  EXPECT_TRUE(data.images[0].boxes.empty());
  json["annotations"][0]["bbox"] = {5, 5, 0.001, 3};
  EXPECT_EQ(parse(json).empty.count, 1u);
  json["annotations"][1]["bbox"] = {-5, 2, 10, 5};
  EXPECT_EQ(parse(json).images[0].boxes[0].x, 0);
  EXPECT_EQ(parse(json).images[0].boxes[0].width, 5);
}

TEST(Coco, RefusesWhatDoesNotFitTogether) {
  auto changed = [](const char* list, const char* key, const Json& value) {
    Json json = small();
    json[list][0][key] = value;
    return json;
  };
  EXPECT_INPUT_ERROR(parse(changed("annotations", "image_id", 5)),
                     "annotation 2: image_id is 5; expected one of the 2");
  EXPECT_INPUT_ERROR(parse(changed("annotations", "category_id", 1)), "category_id is 1");
  EXPECT_INPUT_ERROR(parse(changed("annotations", "bbox", {1, 2, 3})), "[x, y, width, height]");
  EXPECT_INPUT_ERROR(parse(changed("annotations", "bbox", {1, 2, "a", 3})), "holds string");
  EXPECT_INPUT_ERROR(parse(changed("annotations", "iscrowd", 2)), "expected 0 or 1");
  EXPECT_INPUT_ERROR(parse(changed("annotations", "id", 1)), "id 1 is there twice");
  EXPECT_INPUT_ERROR(parse(changed("images", "width", 0)), "image 9: width is 0");
  EXPECT_INPUT_ERROR(parse(changed("images", "file_name", "../x")), "leaves the folder");
  EXPECT_INPUT_ERROR(parse({{"images", 3}}), "\"categories\" is a list");
  EXPECT_INPUT_ERROR(parse_coco("[1", "a.json"), "a.json: not valid JSON");
}

TEST(Coco, ReadsAFile) {
  TestFolder folder;
  EXPECT_EQ(read_coco(folder.write("a.json", small().dump())).images.size(), 2u);
}

}  // namespace
}  // namespace inlay
