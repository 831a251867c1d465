#include "runs/report/axis.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace inlay {

namespace {

// The data with some width, and not so far out that arithmetic on it overflows.
Interval usable(Interval data) {
  data.low = std::clamp(data.low, -1e300, 1e300);
  data.high = std::clamp(data.high, data.low, 1e300);
  const double least = std::max(std::abs(data.low), std::abs(data.high)) * 1e-9;
  if (data.high - data.low > least) return data;
  const double half = data.low == 0 ? 0.5 : std::abs(data.low) * 0.5;
  return {data.low - half, data.high + half};
}

// The round step (1, 2 or 5 times a power of ten) nearest above width / about.
double round_step(const Interval& data, int about) {
  const double raw = (data.high - data.low) / about;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power * 1.0000001) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Interval interval_of(const std::vector<double>& values) {
  Interval result{INFINITY, -INFINITY};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    result.low = std::min(result.low, value);
    result.high = std::max(result.high, value);
  }
  return result.low <= result.high ? result : Interval{0, 1};
}

Axis::Axis(Interval data, double start, double end, double step)
    : data_(data), start_(start), end_(end), step_(step) {
  const double slack = step * 1e-6;
  const double first = std::ceil((data.low - slack) / step);
  for (int i = 0; i < 100 && (first + i) * step <= data.high + slack; ++i) {
    ticks_.push_back((first + i) * step);
  }
}

Axis Axis::around(Interval data, double start, double end, int about_ticks) {
  data = usable(data);
  const double step = round_step(data, about_ticks);
  const Interval rounded{std::floor(data.low / step + 1e-6) * step,
                         std::ceil(data.high / step - 1e-6) * step};
  return Axis(rounded, start, end, step);
}

Axis Axis::exactly(Interval data, double start, double end, int about_ticks) {
  data = usable(data);
  return Axis(data, start, end, round_step(data, about_ticks));
}

double Axis::place(double value) const {
  return start_ + (value - data_.low) / (data_.high - data_.low) * (end_ - start_);
}

std::string Axis::label(double tick) const {
  if (std::abs(tick) < step_ * 1e-6) return "0";
  const double size = std::max(std::abs(data_.low), std::abs(data_.high));
  if (size >= 1e12 || size < 1e-4) return fmt::format("{:.3g}", tick);
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step_) + 1e-9)));
  if (decimals == 0) return format_count(std::llround(tick));
  return fmt::format("{:.{}f}", tick, decimals);
}

}  // namespace inlay
