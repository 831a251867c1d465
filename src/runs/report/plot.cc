#include "runs/report/plot.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace inlay {

namespace {

// The room around the axes: tick labels on the left and below, a little air on the right and above.
constexpr double kLeft = 52, kRight = 14, kTop = 12, kTopWithLabel = 30, kBottom = 44;
constexpr double kWidth = 480, kHeight = 272, kSquare = 400;

Html svg_text(double x, double y, const std::string& style, const std::string& words) {
  return element("text", {{"x", svg_number(x)}, {"y", svg_number(y)}, {"class", style}},
                 text(words));
}

Html svg_line(double x1, double y1, double x2, double y2, const std::string& style) {
  return empty_element("line", {{"x1", svg_number(x1)},
                                {"y1", svg_number(y1)},
                                {"x2", svg_number(x2)},
                                {"y2", svg_number(y2)},
                                {"class", style}});
}

bool finite(const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

}  // namespace

std::string svg_number(double value) {
  std::string number = fmt::format("{:.2f}", value);
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number;
}

Html svg_drawing(const PlotText& labels, double width, double height, const Html& inside) {
  const std::string title = labels.id + "-title", description = labels.id + "-description";
  return element("svg",
                 {{"viewBox", fmt::format("0 0 {} {}", svg_number(width), svg_number(height))},
                  {"role", "img"},
                  {"aria-labelledby", title + " " + description}},
                 element("title", {{"id", title}}, text(labels.title)) +
                     element("desc", {{"id", description}}, text(labels.description)) + inside);
}

Plot::Plot(PlotText labels, Axis x, Axis y, double width, double height)
    : labels_(std::move(labels)),
      x_(std::move(x)),
      y_(std::move(y)),
      width_(width),
      height_(height) {}

Plot::Plot(PlotText labels, Interval x, Interval y)
    : Plot(std::move(labels), Axis::exactly(x, kLeft, kWidth - kRight),
           Axis::around(y, kHeight - kBottom, kTop), kWidth, kHeight) {}

Plot Plot::square(PlotText labels, Interval both) {
  const double side = kSquare - kTopWithLabel - kBottom;
  return Plot(std::move(labels), Axis::exactly(both, kLeft, kLeft + side),
              Axis::exactly(both, kTopWithLabel + side, kTopWithLabel), kLeft + side + kRight,
              kSquare);
}

void Plot::line(const std::vector<Point>& points, const std::string& style) {
  std::string path;
  bool pen_down = false;
  for (const Point& point : points) {
    if (finite(point)) {
      path += (pen_down ? "L" : "M") + svg_number(x_.place(point.x)) + " " +
              svg_number(y_.place(point.y));
    }
    pen_down = finite(point);
  }
  if (!path.empty()) marks_ += empty_element("path", {{"d", path}, {"class", "line " + style}});
}

void Plot::dots(const std::vector<Point>& points, const std::string& style, double radius) {
  Html circles;
  for (const Point& point : points) {
    if (!finite(point)) continue;
    circles += empty_element("circle", {{"cx", svg_number(x_.place(point.x))},
                                        {"cy", svg_number(y_.place(point.y))},
                                        {"r", svg_number(radius)}});
  }
  marks_ += element("g", {{"class", "dot " + style}}, circles);
}

void Plot::dot(Point point, const std::string& style, double radius, const std::string& tip) {
  if (!finite(point)) return;
  marks_ += element("circle",
                    {{"cx", svg_number(x_.place(point.x))},
                     {"cy", svg_number(y_.place(point.y))},
                     {"r", svg_number(radius)},
                     {"class", "dot " + style}},
                    element("title", text(tip)));
}

void Plot::bar(Interval x, double height, const std::string& style, const std::string& tip) {
  const double left = x_.place(x.low), right = x_.place(x.high), top = y_.place(height);
  marks_ += element("rect",
                    {{"x", svg_number(left + 1)},
                     {"y", svg_number(top)},
                     {"width", svg_number(std::max(0.0, right - left - 2))},
                     {"height", svg_number(std::max(0.0, y_.start() - top))},
                     {"class", "bar " + style}},
                    element("title", text(tip)));
}

void Plot::note(Point point, const std::string& words, const std::string& style) {
  if (!finite(point)) return;
  const double x = x_.place(point.x);
  const bool far_right = x > (x_.start() + x_.end()) / 2;
  marks_ += svg_text(x + (far_right ? -9 : 9), y_.place(point.y) - 9,
                     "note " + style + (far_right ? " end" : ""), words);
}

Html Plot::frame() const {
  Html frame;
  for (const double tick : y_.ticks()) {
    const double y = y_.place(tick);
    frame += svg_line(x_.start(), y, x_.end(), y, "grid");
    frame += svg_text(x_.start() - 8, y + 4, "tick end", y_.label(tick));
  }
  for (const double tick : x_.ticks()) {
    const double x = x_.place(tick);
    frame += svg_line(x, y_.start(), x, y_.start() + 4, "axis");
    frame += svg_text(x, y_.start() + 18, "tick middle", x_.label(tick));
  }
  frame += svg_line(x_.start(), y_.start(), x_.end(), y_.start(), "axis");
  frame += svg_text(x_.end(), y_.start() + 36, "label end", labels_.x_label);
  frame += svg_text(8, 15, "label", labels_.y_label);
  return frame;
}

Html Plot::html() const { return svg_drawing(labels_, width_, height_, frame() + marks_); }

}  // namespace inlay
