// From data to places on a drawing, with ticks at round numbers.
//
//   Axis x = Axis::around({0, 480}, 48, 440);
//   x.place(240);          // 244
//   x.label(x.ticks()[1]); // "100"
#pragma once

#include <string>
#include <vector>

namespace inlay {

struct Interval {
  double low = 0;
  double high = 0;
};

// The least interval with all finite values; {0, 1} when there are none.
Interval interval_of(const std::vector<double>& values);

class Axis {
 public:
  // Covers `data` from one round number to another; `start` and `end` are where they are drawn.
  static Axis around(Interval data, double start, double end, int about_ticks = 5);
  // Covers exactly `data`.
  static Axis exactly(Interval data, double start, double end, int about_ticks = 5);

  double place(double value) const;
  double start() const { return start_; }
  double end() const { return end_; }
  const std::vector<double>& ticks() const { return ticks_; }
  std::string label(double tick) const;

 private:
  Axis(Interval data, double start, double end, double step);

  Interval data_;
  double start_;
  double end_;
  double step_;
  std::vector<double> ticks_;
};

}  // namespace inlay
