#include "runs/report.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/source_dir.h"

namespace inlay {
namespace {

Json document() { return read_json(source_dir() / "src/runs/testdata/report_document.json"); }

// The elements of a page and how often each occurs; fails unless every one is closed in order.
std::map<std::string, int> elements_of(const std::string& page) {
  std::map<std::string, int> counts;
  std::vector<std::string> open;
  for (std::size_t at = page.find('<', 1); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    const std::size_t name_end = page.find_first_of(" >/", at + 2);
    const std::string name = page.substr(at + 1, name_end - at - 1);
    if (page[at + 1] == '/') {
      const std::string closed = page.substr(at + 2, end - at - 2);
      EXPECT_FALSE(open.empty());
      if (open.empty()) break;
      EXPECT_EQ(open.back(), closed);
      open.pop_back();
      continue;
    }
    ++counts[name];
    if (page[end - 1] != '/') open.push_back(name);
  }
  EXPECT_TRUE(open.empty());
  return counts;
}

// Every text in the document becomes `text`, the keys stay.
void replace_texts(Json& json, const std::string& text) {
  for (auto& [key, value] : json.items()) {
    if (value.is_string() && key != "format") value = text;
    if (value.is_structured()) replace_texts(value, text);
  }
}

TEST(Report, ShowsThePicturesOfMistakesFromWithinThePage) {
  Json report = document();
  report["mistakes"] = {{{"picture", "data:image/png;base64,QUJD"},
                         {"truth", "cat"},
                         {"prediction", "dog"},
                         {"probability", 0.9}}};
  const std::string page = render_report(report);
  EXPECT_NE(page.find("<img src=\"data:image/png;base64,QUJD\""), std::string::npos);
  EXPECT_NE(page.find("img-src data:"), std::string::npos);
}

constexpr const char* kPicture = "data:image/png;base64,QUJD";

Json detections() {
  return {{{"picture", kPicture},
           {"caption", "street.jpg"},
           {"boxes",
            {{{"box", {0.1, 0.2, 0.5, 1.4}}, {"label", "dog"}, {"score", 0.9}, {"kind", "found"}},
             {{"box", {0, 0, 0.25, 0.5}}, {"label", "cat"}, {"score", nullptr}, {"kind", "missed"}},
             {{"box", {0, nullptr, 1, 1}}, {"label", "cat"}, {"kind", "false"}}}}}};
}

TEST(Report, DrawsTheBoxesOfDetectionsOverTheirPictures) {
  const std::string page = render_report({{"title", "t"}, {"pictures", detections()}});
  const auto counts = elements_of(page);
  EXPECT_EQ(counts.at("img"), 1);
  // The sign's own, and of three boxes those whose corners are numbers.
  EXPECT_EQ(counts.at("rect"), 3);
  EXPECT_NE(page.find("<rect x=\"0.1000\" y=\"0.2000\" width=\"0.4000\" height=\"0.8000\" "
                      "class=\"found\"><title>dog: found, 90 % sure</title></rect>"),
            std::string::npos);
  EXPECT_NE(page.find("class=\"missed\"><title>cat: there, but missed</title>"), std::string::npos);
  EXPECT_NE(page.find("role=\"img\" aria-labelledby=\"boxes-0-title\"><title id=\"boxes-0-title\">"
                      "Objects: 1 found, 1 missed, 1 false</title>"),
            std::string::npos);
}

TEST(Report, ABoxThatIsNoneIsAnError) {
  Json three = detections(), unknown = detections();
  three[0]["boxes"][0]["box"] = {0, 0, 1};
  unknown[0]["boxes"][0]["kind"] = "guessed";
  for (const Json& wrong : {three, unknown})
    EXPECT_THROW(render_report({{"title", "t"}, {"pictures", wrong}}), Error);
}

TEST(Report, ShowsPairsWithTheirTruthAndDistance) {
  const Json pairs = {{{"pictures", {kPicture, kPicture}}, {"same", true}, {"distance", 1.25}},
                      {{"pictures", {kPicture, kPicture}}, {"same", false}, {"distance", 0.5}}};
  const std::string page = render_report({{"title", "t"}, {"pairs", pairs}});
  EXPECT_EQ(elements_of(page).at("img"), 4);
  EXPECT_NE(page.find("<span class=\"chip right\">the same</span>"), std::string::npos);
  EXPECT_NE(page.find("<span class=\"chip right\">different ones</span>"), std::string::npos);
  EXPECT_NE(page.find("<span class=\"chip wrong\">1.250</span>"), std::string::npos);
  const Json one = {{{"pictures", Json::array({kPicture})}, {"same", true}, {"distance", 1}}};
  EXPECT_THROW(render_report({{"title", "t"}, {"pairs", one}}), Error);
}

TEST(Report, ShowsSamplesAndTwelvePicturesAtMost) {
  Json samples = Json::array();
  for (int i = 0; i < 40; ++i) samples.push_back({{"picture", kPicture}, {"caption", "cat"}});
  const std::string page = render_report({{"title", "t"}, {"samples", samples}});
  EXPECT_EQ(elements_of(page).at("img"), 12);
  EXPECT_NE(page.find("<figcaption>cat</figcaption>"), std::string::npos);
}

TEST(Report, HostileCaptionsAndLabelsOfPicturesCannotAddAnElement) {
  const std::string attack = "\"/><script>alert(1)</script></title>";
  Json hostile = detections();
  hostile[0]["picture"] = hostile[0]["caption"] = hostile[0]["boxes"][0]["label"] = attack;
  const std::string page = render_report({{"title", "t"}, {"pictures", hostile}});
  const std::string plain = render_report({{"title", "t"}, {"pictures", detections()}});
  EXPECT_EQ(elements_of(page), elements_of(plain));
}

TEST(Report, IsOneWellFormedPageWithEverySection) {
  const std::string page = render_report(document());
  const auto counts = elements_of(page);
  EXPECT_EQ(counts.at("section"), 11);
  EXPECT_EQ(counts.at("h1"), 1);
  EXPECT_EQ(counts.at("table"), counts.at("caption"));
  EXPECT_NE(page.find("On 620 test rows: accuracy <strong>90.2 %</strong> (95 % interval "),
            std::string::npos);
  EXPECT_NE(page.find("87.6–92.4 %"), std::string::npos);
}

TEST(Report, FetchesAndRunsNothing) {
  const std::string page = render_report(document());
  EXPECT_EQ(elements_of(page).count("script"), 0u);
  EXPECT_EQ(elements_of(page).count("link"), 0u);
  for (const char* word : {"http://", "https://", "url(", "@import", " src="}) {
    EXPECT_EQ(page.find(word), std::string::npos) << word;
  }
  EXPECT_NE(page.find("default-src &#39;none&#39;"), std::string::npos);
}

TEST(Report, EveryDrawingForReadersHasATitleAndADescription) {
  const std::string page = render_report(document());
  int drawings = 0;
  for (std::size_t at = page.find("role=\"img\""); at != std::string::npos;
       at = page.find("role=\"img\"", at + 1)) {
    const std::string start = page.substr(at, 200);
    EXPECT_NE(start.find("<title id="), std::string::npos) << start;
    ++drawings;
  }
  EXPECT_EQ(drawings, 3);  // loss, metric, calibration
}

TEST(Report, HostileTextCannotAddAnElement) {
  Json plain = document();
  Json hostile = document();
  replace_texts(plain, "x");
  const std::string attack =
      "</td></style><script>alert(1)</script>\" onload='x' <!-- ]]> --style:\xff";
  replace_texts(hostile, attack + std::string(1, '\0'));
  EXPECT_EQ(elements_of(render_report(hostile)), elements_of(render_report(plain)));
  EXPECT_EQ(render_report(hostile).find("<script"), std::string::npos);
}

TEST(Report, NeedsOnlyATitle) {
  const auto counts = elements_of(render_report({{"title", "empty"}}));
  EXPECT_EQ(counts.count("section"), 0u);
  EXPECT_EQ(counts.count("nav"), 0u);
  EXPECT_THROW(render_report(Json::object()), Error);
}

TEST(Report, AnUnknownSectionIsAnError) {
  try {
    render_report({{"title", "t"}, {"confussion", 1}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean \"confusion\"?"), std::string::npos);
  }
}

TEST(Report, EmptySectionsAndNullFiguresAreDrawn) {
  Json report = document();
  for (const char* key : {"classes", "mistakes", "speed"}) report[key] = Json::array();
  for (const char* key : {"curves", "confusion", "calibration", "trained", "comparison", "folds"}) {
    report[key] = Json::object();
  }
  report["metrics"][0]["value"] = nullptr;
  elements_of(render_report(report));
}

TEST(Report, ARegressionHasAScatterPlot) {
  const Json report = {
      {"title", "t"},
      {"scatter", {{"name", "score"}, {"points", {{1.0, 1.5}, {2.0, nullptr}, {3.0, 2.5}}}}}};
  const auto counts = elements_of(render_report(report));
  EXPECT_EQ(counts.at("circle"), 2);
}

TEST(Report, ManyClassesShowThePairsThatAreConfusedMost) {
  Json labels = Json::array(), counts = Json::array();
  for (int i = 0; i < 100; ++i) {
    labels.push_back("class " + std::to_string(i));
    Json row = Json::array();
    for (int j = 0; j < 100; ++j) row.push_back(i == 7 && j == 9 ? 50 : j == i ? 90 : (i + j) % 5);
    counts.push_back(row);
  }
  const std::string page =
      render_report({{"title", "t"}, {"confusion", {{"labels", labels}, {"counts", counts}}}});
  EXPECT_NE(page.find("<tbody><tr><td>class 7</td><td>class 9</td><td class=\"number\">50</td>"),
            std::string::npos);
  EXPECT_EQ(elements_of(page).at("tr"), 21);
}

TEST(Report, CountsThatDoNotFitTheirLabelsAreAnError) {
  EXPECT_THROW(render_report({{"title", "t"},
                              {"confusion", {{"labels", {"a", "b"}}, {"counts", {{1, 2}, {3}}}}}}),
               Error);
  EXPECT_THROW(
      render_report(
          {{"title", "t"}, {"trained", {{"sites", {"q"}}, {"layers", {"0"}}, {"grid", {{1, 2}}}}}}),
      Error);
}

TEST(Report, ShowsTwentyMistakesAtMost) {
  Json report = document();
  const Json mistake = report["mistakes"][0];
  for (int i = 0; i < 40; ++i) report["mistakes"].push_back(mistake);
  EXPECT_EQ(elements_of(render_report(report)).at("li"), 20);
}

}  // namespace
}  // namespace inlay
