// That the contracts leave nothing out: every family has a model to ask, every method of images and
// every text for them a base, and bases of texts refuse the methods of images.
#include "method_cases.h"

#include <set>
#include <utility>

#include "adapters/adapter.h"

namespace inlay {
namespace {

using Asked = std::set<std::pair<std::string, std::string>>;  // family and method

Asked asked_of_images() {
  Asked asked;
  for (const MethodCase& one : all_method_cases()) {
    if (tiny_facts(*one.family).images) asked.emplace(one.family->name, one.method);
  }
  return asked;
}

TEST(MethodCases, EveryFamilyHasATinyModel) {
  for (const Family* family : all_families())
    EXPECT_FALSE(tiny_model_folder(*family).empty()) << family->name;
}

TEST(MethodCases, MethodsAreAskedOnTheBasesOfImagesThatTheyAreFor) {
  Asked asked = asked_of_images();
  const std::vector<std::pair<std::string, std::vector<std::string>>> expected = {
      {"residual", {"mobilenet_v2", "resnet"}},
      {"conv_adapter", {"mobilenet_v2", "resnet"}},
      {"bn_tuning", {"mobilenet_v2", "resnet"}},
      {"vpt", {"vit"}},
      {"convpass", {"vit"}},
      {"mona", {"vit"}},
      {"adaptformer", {"vit"}},
      {"bottleneck", {"vit"}},
      {"prefix_tuning", {"vit"}},
      {"lora", {"vit"}},
      {"ssf", {"mobilenet_v2", "resnet", "vit"}},
      {"full", {"mobilenet_v2", "resnet", "vit"}}};
  for (const auto& [method, families] : expected) {
    for (const std::string& family : families)
      EXPECT_TRUE(asked.contains({family, find_method(method).example})) << method << family;
  }
}

TEST(MethodCases, EveryTextForImagesIsAsked) {
  Asked asked = asked_of_images();
  for (const std::string& text : texts_of_images()) {
    bool any = false;
    for (const auto& [family, method] : asked) any = any || method == text;
    EXPECT_TRUE(any) << text;
  }
}

TEST(MethodCases, BasesOfTextsRefuseTheMethodsOfImages) {
  for (const Family* family : text_families()) {
    for (const std::string& name : methods_of_images()) {
      try {
        Adapter::create("refused", parse_method(name), tiny_model(*family)->facts(), 1);
        ADD_FAILURE() << name << " was taken by " << family->name;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
      }
    }
  }
}

TEST(MethodCases, BasesOfImagesRefuseTheMethodsOfTokens) {
  for (const char* name : {"prompt_tuning", "p_tuning", "trainable_tokens"}) {
    for (const Family* family : contract_families()) {
      if (!tiny_facts(*family).images) continue;
      try {
        Adapter::create("refused", parse_method(name), tiny_model(*family)->facts(), 1);
        ADD_FAILURE() << name << " was taken by " << family->name;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage);
        EXPECT_NE(std::string(error.what()).find("reads images"), std::string::npos)
            << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace inlay
