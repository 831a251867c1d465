#include "runs/report/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "runs/report/values.h"

namespace inlay {

namespace {

constexpr std::size_t kMostShown = 12;
constexpr std::size_t kLongestCaption = 80;

// What can have become of a box, and what that means.
struct BoxKind {
  const char* name;
  const char* meaning;
};
constexpr std::array<BoxKind, 3> kBoxKinds = {
    {{"found", "found"}, {"missed", "there, but missed"}, {"false", "found where it is not"}}};

const BoxKind& kind_of(const Json& box) {
  const std::string name = text_in(box, "kind");
  for (const BoxKind& kind : kBoxKinds) {
    if (name == kind.name) return kind;
  }
  fail(ErrorKind::kInput, "the report document: a box is \"{}\"; expected found, missed or false",
       name);
}

// As places within a drawing that is one wide and one high.
std::string share(double value) { return fmt::format("{:.4f}", value); }

// Nothing where a corner is not finite.
Html rectangle(const Json& box) {
  auto corners = numbers_of(list_in(box, "box"));
  require(corners.size() == 4, ErrorKind::kInput,
          "the report document: a box has {} numbers; expected left, top, right and bottom",
          corners.size());
  const BoxKind& kind = kind_of(box);
  if (!std::all_of(corners.begin(), corners.end(), [](double at) { return std::isfinite(at); }))
    return {};
  for (double& at : corners) at = std::clamp(at, 0.0, 1.0);
  std::string tip = fmt::format("{}: {}", shortened(text_in(box, "label"), 40), kind.meaning);
  const double score = number_in(box, "score");
  if (std::isfinite(score)) tip += fmt::format(", {:.0f} % sure", score * 100);
  return element("rect",
                 {{"x", share(corners[0])},
                  {"y", share(corners[1])},
                  {"width", share(std::max(0.0, corners[2] - corners[0]))},
                  {"height", share(std::max(0.0, corners[3] - corners[1]))},
                  {"class", kind.name}},
                 element("title", text(tip)));
}

// "2 found, 1 missed, 0 false"
std::string counts_of(const Json& boxes) {
  std::string counts;
  for (const BoxKind& kind : kBoxKinds) {
    const auto count = std::count_if(boxes.begin(), boxes.end(), [&](const Json& box) {
      return text_in(box, "kind") == kind.name;
    });
    fmt::format_to(std::back_inserter(counts), "{}{} {}", counts.empty() ? "" : ", ", count,
                   kind.name);
  }
  return counts;
}

Html image(const std::string& address) {
  return empty_element("img", {{"src", address}, {"alt", ""}});
}

Html picture(const Json& json) { return image(text_in(json, "picture")); }

Html boxes_over(const Json& boxes, std::size_t number, const std::string& counts) {
  const std::string title = fmt::format("boxes-{}-title", number);
  Html drawing = element("title", {{"id", title}}, text("Objects: " + counts));
  for (const Json& box : boxes) drawing += rectangle(box);
  return element("svg",
                 {{"viewBox", "0 0 1 1"},
                  {"preserveAspectRatio", "none"},
                  {"role", "img"},
                  {"aria-labelledby", title}},
                 drawing);
}

Html detection(const Json& json, std::size_t number) {
  const Json& boxes = list_in(json, "boxes");
  const std::string counts = counts_of(boxes);
  const std::string caption = shortened(text_in(json, "caption"), kLongestCaption);
  const Html words =
      element("span", text(caption)) + element("span", {{"class", "counts"}}, text(counts));
  return element("figure", element("div", {{"class", "boxed"}},
                                   picture(json) + boxes_over(boxes, number, counts)) +
                               element("figcaption", words));
}

Html legend() {
  Html keys;
  for (const BoxKind& kind : kBoxKinds) {
    keys += element("span", {{"class", "key"}},
                    element("i", {{"class", std::string("outline ") + kind.name}}, Html()) +
                        text(kind.meaning));
  }
  return element("p", {{"class", "legend"}}, keys);
}

Html pair(const Json& json) {
  const auto addresses = texts_of(list_in(json, "pictures"));
  require(addresses.size() == 2, ErrorKind::kInput,
          "the report document: a pair has {} pictures; expected two", addresses.size());
  Html both;
  for (const std::string& address : addresses) both += image(address);
  const char* truth = truth_in(json, "same") ? "the same" : "different ones";
  const std::string distance = format_value(number_in(json, "distance"), ValueFormat::kNumber);
  const Html verdict = element("span", {{"class", "word"}}, text("truth")) +
                       element("span", {{"class", "chip right"}}, text(truth)) +
                       element("span", {{"class", "word"}}, text("distance")) +
                       element("span", {{"class", "chip wrong"}}, text(distance));
  return element("li", element("div", {{"class", "both"}}, both) +
                           element("div", {{"class", "verdict"}}, verdict));
}

}  // namespace

Html detections_figure(const Json& pictures) {
  Html figures;
  const std::size_t shown = std::min(pictures.size(), kMostShown);
  for (std::size_t i = 0; i < shown; ++i) figures += detection(pictures[i], i);
  return legend() + element("div", {{"class", "pictures"}}, figures);
}

Html pairs_list(const Json& pairs) {
  Html items;
  const std::size_t shown = std::min(pairs.size(), kMostShown);
  for (std::size_t i = 0; i < shown; ++i) items += pair(pairs[i]);
  return element("ol", {{"class", "pairs"}}, items);
}

Html samples_figure(const Json& samples) {
  Html figures;
  const std::size_t shown = std::min(samples.size(), kMostShown);
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string caption = shortened(text_in(samples[i], "caption"), kLongestCaption);
    figures += element("figure", picture(samples[i]) + element("figcaption", text(caption)));
  }
  return element("div", {{"class", "pictures small"}}, figures);
}

}  // namespace inlay
