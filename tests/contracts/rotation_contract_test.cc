// What the flag use_cayley_neumann means to the trained numbers of OFT.
#include <gtest/gtest.h>

#include <cmath>

#include "adapters/adapter.h"
#include "base/source_dir.h"
#include "models/model.h"

namespace inlay {
namespace {

std::shared_ptr<const Model> tiny_bert() {
  return load_model(source_dir() / "tests/golden/models/bert-single-label");
}

// The same numbers for every configuration, small enough for five terms of the series.
std::unique_ptr<Adapter> turned(const Model& model, const std::string& method) {
  auto adapter = Adapter::create("turned", parse_method(method), model.facts(), 1);
  for (Adapter::Entry& entry : adapter->entries()) {
    Tensor value = entry.parameter.value().clone();
    Stream stream(3, entry.parameter.name());
    for (int64_t i = 0; i < value.count(); ++i)
      value.mutable_data<float>()[i] = 0.01f * stream.normal(static_cast<uint64_t>(i));
    entry.parameter.set_value(std::move(value));
  }
  adapter->convert(DType::kF64);
  return adapter;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.count(); ++i)
    largest = std::max(largest, std::fabs(a.data<double>()[i] - b.data<double>()[i]));
  return largest;
}

TEST(Rotations, Trap21CayleyNeumannTurnsTheOtherWayThanTheExactMap) {
  auto model = tiny_bert();
  auto series = turned(*model, "oft[oft_block_size=8,use_cayley_neumann=true]");
  auto exact = turned(*model, "oft[oft_block_size=8,use_cayley_neumann=false]");
  for (const Site* site : series->sites()) {
    Tensor base = site->weight.to(DType::kF64);
    MergedTensors by_series{base.clone(), Tensor()}, by_exact{base.clone(), Tensor()};
    ASSERT_TRUE(series->at(site->index)->merge(by_series));
    ASSERT_TRUE(exact->at(site->index)->merge(by_exact));
    EXPECT_GT(largest_difference(by_series.weight, by_exact.weight), 1e-2) << site->name;
    // One after the other they undo each other.
    ASSERT_TRUE(exact->at(site->index)->merge(by_series));
    EXPECT_LT(largest_difference(by_series.weight, base), 1e-5) << site->name;
  }
}

TEST(Rotations, TheyKeepTheLengthsOfAWeightsRows) {
  auto model = tiny_bert();
  for (const char* method : {"oft[oft_block_size=8,use_cayley_neumann=false]", "hra[r=4]",
                             "boft[boft_block_size=4,boft_n_butterfly_factor=2]"}) {
    auto adapter = turned(*model, method);
    for (Adapter::Entry& entry : adapter->entries()) {
      if (entry.part != "boft_s") continue;
      Tensor ones = entry.parameter.value().clone();
      std::fill_n(ones.mutable_data<double>(), ones.count(), 1.0);
      entry.parameter.set_value(std::move(ones));
    }
    for (const Site* site : adapter->sites()) {
      Tensor base = site->weight.to(DType::kF64);
      MergedTensors merged{base.clone(), Tensor()};
      ASSERT_TRUE(adapter->at(site->index)->merge(merged));
      for (int64_t row = 0; row < base.dim(0); ++row) {
        double before = 0, after = 0;
        for (int64_t i = row * base.dim(1); i < (row + 1) * base.dim(1); ++i) {
          before += base.data<double>()[i] * base.data<double>()[i];
          after += merged.weight.data<double>()[i] * merged.weight.data<double>()[i];
        }
        EXPECT_NEAR(after, before, 1e-9 * before) << method << " at " << site->name;
      }
    }
  }
}

}  // namespace
}  // namespace inlay
