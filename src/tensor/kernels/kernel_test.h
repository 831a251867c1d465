// Verbs for tests that compare a Highway kernel with its reference: run on every instruction set of
// this processor, draw numbers, hold them in any dtype, and compare within what dtype and size
// allow.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "tensor/dtype.h"
#include "tensor/kernels/convert.h"
#include "tensor/kernels/targets.h"

namespace inlay::kernels {

// Calls test() once per compiled instruction set that this processor has, then restores the choice
// of the best.
template <class Test>
void on_every_target(const Test& test) {
  for (int64_t target : {HWY_SCALAR, HWY_AVX2, HWY_AVX3}) {
    hwy::SetSupportedTargetsForTest(0);
    if (target != HWY_SCALAR && (hwy::SupportedTargets() & target) == 0) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// Elements of one dtype, and the same values in f64.
class Elements {
 public:
  Elements() = default;
  Elements(DType dtype, std::vector<double> values)
      : dtype_(dtype), bytes_(values.size() * dtype_size(dtype)) {
    std::vector<float> narrow(values.begin(), values.end());
    convert(reinterpret_cast<const std::byte*>(narrow.data()), DType::kF32, bytes_.data(), dtype,
            static_cast<int64_t>(values.size()));
  }
  static Elements normal(DType dtype, int64_t count, std::string_view name,
                         double deviation = 1.0) {
    Stream stream(7, name);
    std::vector<double> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(deviation * stream.normal(static_cast<uint64_t>(i)));
    return Elements(dtype, values);
  }
  static Elements constant(DType dtype, int64_t count, double value) {
    return Elements(dtype, std::vector<double>(static_cast<std::size_t>(count), value));
  }

  std::byte* data() { return bytes_.data(); }
  const std::byte* data() const { return bytes_.data(); }
  int64_t count() const { return static_cast<int64_t>(bytes_.size() / dtype_size(dtype_)); }
  DType dtype() const { return dtype_; }
  Elements as(DType dtype) const { return Elements(dtype, values()); }
  // f64 values survive this only when they came from f32; results of the f64 reference are read
  // with f64().
  std::vector<double> values() const {
    if (dtype_ == DType::kF64) return f64();
    std::vector<double> values(static_cast<std::size_t>(count()));
    convert(bytes_.data(), dtype_, reinterpret_cast<std::byte*>(values.data()), DType::kF64,
            count());
    return values;
  }
  std::vector<double> f64() const {
    const auto* first = reinterpret_cast<const double*>(bytes_.data());
    return {first, first + count()};
  }
  bool operator==(const Elements& other) const { return bytes_ == other.bytes_; }

 private:
  DType dtype_ = DType::kF32;
  std::vector<std::byte> bytes_;
};

// What rounding may add to a sum of `terms` products in f32 whose result is of size `magnitude` and
// is stored as `dtype`: every rounding is half a unit, and roundings of a sum add up like a random
// walk.
// A kernel that rounds intermediate results to bf16 too says how many `roundings` lie on the way.
inline double rounding_bound(DType dtype, int64_t terms, double magnitude, int roundings = 1) {
  const double steps = 16.0 + 4.0 * std::sqrt(static_cast<double>(terms));
  const double narrow = dtype == DType::kBF16 ? roundings * 0x1p-8 : 0.0;
  return magnitude * (steps * 0x1p-24 + narrow);
}

inline double largest_magnitude(const std::vector<double>& values) {
  double largest = 0;
  for (double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

// Every element within the bound for the largest expected one, or for terms of size `floor` that
// may cancel; reports the worst.
inline void expect_close(std::string_view name, const Elements& actual, const Elements& expected,
                         int64_t terms, double floor = 1e-3, int roundings = 1) {
  const std::vector<double> found = actual.values(), wanted = expected.values();
  ASSERT_EQ(found.size(), wanted.size());
  const double bound =
      rounding_bound(actual.dtype(), terms, std::max(largest_magnitude(wanted), floor), roundings);
  double worst = -1;
  std::size_t at = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    double error = found[i] == wanted[i] ? 0.0 : std::fabs(found[i] - wanted[i]);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    if (error > worst) worst = error, at = i;
  }
  if (found.empty()) return;
  EXPECT_LE(worst, bound) << name << "[" << at << "] is " << found[at] << ", expected "
                          << wanted[at];
}

}  // namespace inlay::kernels
