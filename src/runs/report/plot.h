// A drawing with two axes, in SVG with text that a screen reader can read. Colours come from the
// page's style sheet by class, so that one drawing serves light, dark and paper.
//
//   Plot plot({.id = "loss", .title = "Loss by step", .x_label = "step"}, {0, 480}, {0.1, 0.9});
//   plot.line(points, "train");
//   Html html = plot.html();
#pragma once

#include <string>
#include <vector>

#include "runs/report/axis.h"
#include "runs/report/html.h"

namespace inlay {

struct Point {
  double x = 0;
  double y = 0;
};

struct PlotText {
  std::string id;  // unique in the page, of our own making
  std::string title;
  std::string description;
  std::string x_label;
  std::string y_label;
};

// "12.5", "7": at most two decimals, as SVG attributes want them.
std::string svg_number(double value);

// An <svg> of the given size that is named by its title and description.
Html svg_drawing(const PlotText& labels, double width, double height, const Html& inside);

class Plot {
 public:
  Plot(PlotText labels, Interval x, Interval y);
  // Both axes cover exactly the same interval and are drawn equally long, for what is compared with
  // a diagonal.
  static Plot square(PlotText labels, Interval both);

  // Points that are not finite break a line and are otherwise left out.
  void line(const std::vector<Point>& points, const std::string& style);
  void dots(const std::vector<Point>& points, const std::string& style, double radius);
  // One dot that shows `tip` when pointed at.
  void dot(Point point, const std::string& style, double radius, const std::string& tip);
  void bar(Interval x, double height, const std::string& style, const std::string& tip);
  void note(Point point, const std::string& words, const std::string& style);

  Html html() const;

 private:
  Plot(PlotText labels, Axis x, Axis y, double width, double height);
  Html frame() const;

  PlotText labels_;
  Axis x_;
  Axis y_;
  double width_;
  double height_;
  Html marks_;
};

}  // namespace inlay
