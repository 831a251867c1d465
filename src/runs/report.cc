#include "runs/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "runs/report/curves.h"
#include "runs/report/extent.h"
#include "runs/report/heading.h"
#include "runs/report/html.h"
#include "runs/report/moved.h"
#include "runs/report/pictures.h"
#include "runs/report/quality.h"
#include "runs/report/style.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

Html speed_facts(const Json& speed) {
  Html facts;
  for (const Json& json : speed) {
    const Quantity quantity = quantity_of(json);
    Html value = text(quantity.value);
    if (!quantity.note.empty()) value += element("small", text(quantity.note));
    facts += element("div", element("dt", text(quantity.label)) + element("dd", value));
  }
  return element("dl", {{"class", "facts"}}, facts);
}

Html manifest_details(const Json& manifest) {
  const std::string pretty = manifest.dump(2, ' ', false, Json::error_handler_t::replace);
  return element("details",
                 element("summary", text("manifest.json, " + format_bytes(pretty.size()))) +
                     element("pre", text(pretty)));
}

// The sections of the page in their order. A section is drawn when the document has its key.
struct Section {
  const char* key;
  const char* title;
  const char* how;  // how to read it
  Html (*draw)(const Json&);
  bool half = false;  // may stand beside another half
};

const Section kSections[] = {
    {"curves", "Learning",
     "The loss of each step that was learnt from, and the metric on rows that were not.",
     curves_figures},
    {"comparison", "Methods compared",
     "All on the same rows. A line is a 95 % interval: where two lines overlap widely, these rows "
     "do not tell the methods apart.",
     comparison_table},
    {"confusion", "Confusion",
     "A row is a true class; its cells say how many of its rows were given which class.",
     confusion_figure, true},
    {"classes", "Classes",
     "Precision: how often the class is right when it is predicted. Recall: how much of the class "
     "is found.",
     classes_table, true},
    {"scatter", "Prediction and truth", "How far each prediction is from what was measured.",
     scatter_figure, true},
    {"calibration", "Calibration", "How often it is right when it is so sure.", calibration_figure,
     true},
    {"folds", "Folds", "Each fold was tested once, by a model that had not seen it.", folds_table},
    {"mistakes", "Hardest mistakes",
     "The worst first: wrong although sure, or furthest from the truth. At times the label is at "
     "fault, or the text "
     "says less than it seems to.",
     mistakes_list},
    {"pictures", "Detections",
     "Objects of test pictures, those with the most mistakes first. Point at a box to read what it "
     "is.",
     detections_figure},
    {"pairs", "Worst pairs",
     "Pictures of the same that came out far apart, and of different ones that came out close.",
     pairs_list},
    {"samples", "As the model sees them",
     "Training pictures of the first step: resized, cropped and changed at random as the run was "
     "told.",
     samples_figure},
    {"trained", "What was trained",
     "The base stays as it was; the filled places are all that the adapter adds.", trained_figure},
    {"moved", "How far the weights moved",
     "The length of what training added to each weight, in percent of the weight's own.",
     moved_figure},
    {"speed", "Speed and memory", "Measured in this run.", speed_facts},
    {"manifest", "Manifest",
     "Everything that is needed to repeat this run, and the hashes to check a repeat against.",
     manifest_details},
};

// Above this many classes the matrix and the table of classes take the whole width.
constexpr std::size_t kClassesBesideEachOther = 5;

bool is_half(const Section& section, const Json& report) {
  const bool of_classes = section.draw == confusion_figure || section.draw == classes_table;
  if (!of_classes || !report.contains("confusion")) return section.half;
  return list_in(report["confusion"], "labels").size() <= kClassesBesideEachOther;
}

void require_known_keys(const Json& report) {
  require(report.is_object(), ErrorKind::kInput, "the report document is {}; expected an object",
          report.type_name());
  std::vector<std::string> known = {"title", "lead", "test_rows", "metrics", "tiles"};
  for (const Section& section : kSections) known.emplace_back(section.key);
  for (const auto& [key, value] : report.items()) {
    require(std::find(known.begin(), known.end(), key) != known.end(), ErrorKind::kInput,
            "the report document has an unknown key \"{}\"; did you mean \"{}\"? It may have {}",
            key, nearest_name(key, known), fmt::join(known, ", "));
  }
}

Html navigation(const Json& report) {
  Html links;
  for (const Section& section : kSections) {
    if (!report.contains(section.key)) continue;
    links += element("a", {{"href", std::string("#") + section.key}}, text(section.title));
  }
  return links.empty() ? links : element("nav", {{"aria-label", "Sections"}}, links);
}

Html sections(const Json& report) {
  Html all;
  for (const Section& section : kSections) {
    if (!report.contains(section.key)) continue;
    const std::string heading = std::string(section.key) + "-heading";
    all += element("section",
                   {{"id", section.key},
                    {"class", is_half(section, report) ? "half" : "full"},
                    {"aria-labelledby", heading}},
                   element("h2", {{"id", heading}}, text(section.title)) +
                       element("p", {{"class", "how"}}, text(section.how)) +
                       section.draw(report.at(section.key)));
  }
  return element("main", all);
}

Html page_footer(const Json& report) {
  std::string words = "Drawn by Inlay from this run's own figures.";
  if (report.contains("manifest") && report["manifest"].is_object()) {
    const std::string hash = text_in(report["manifest"], "sha256");
    if (!hash.empty()) words += " Manifest " + hash + ".";
  }
  return element("footer", text(words));
}

Html head(const Json& report) {
  // Even if markup slipped through, the page may run nothing and fetch nothing.
  const Html policy = empty_element(
      "meta", {{"http-equiv", "Content-Security-Policy"},
               {"content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'"}});
  return element("head",
                 empty_element("meta", {{"charset", "utf-8"}}) + policy +
                     empty_element("meta", {{"name", "viewport"},
                                            {"content", "width=device-width, initial-scale=1"}}) +
                     element("title", text(text_in(report, "title"))) +
                     element("style", Html::trusted(kReportStyle)));
}

}  // namespace

std::string render_report(const Json& report) {
  require_known_keys(report);
  require(!text_in(report, "title").empty(), ErrorKind::kInput,
          "the report document has no title; expected text");
  const Html body = element("body", element("header", heading(report) + navigation(report)) +
                                        sections(report) + page_footer(report));
  return "<!DOCTYPE html>\n" + element("html", {{"lang", "en"}}, head(report) + body).markup() +
         "\n";
}

}  // namespace inlay
