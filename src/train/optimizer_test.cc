#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace inlay {
namespace {

Parameter parameter(const char* name, Shape shape, const std::vector<float>& values) {
  return {name, Tensor::of<float>(shape, values)};
}

// As a backward pass leaves it.
void give_gradient(Parameter& parameter, const std::vector<float>& gradient) {
  static uint64_t forward = 0;
  std::size_t use = parameter.begin_use(++forward, std::make_shared<Arena>());
  parameter.tree(use).push(Tensor::of<float>(parameter.shape(), gradient));
}

std::vector<float> values(const Parameter& parameter) {
  const auto* data = parameter.value().data<float>();
  return {data, data + parameter.value().count()};
}

TEST(Optimizer, StochasticDescentKeepsAVelocity) {
  Parameter bias = parameter("bias", {2}, {1, -1});
  Optimizer optimizer({.name = "sgd", .weight_decay = 0.5, .momentum = 0.5}, {{{&bias}, 0.25}});
  give_gradient(bias, {1, 0});
  optimizer.step(1, 0);
  EXPECT_EQ(values(bias), (std::vector<float>{0.75, -1}));  // v = (1, 0)
  give_gradient(bias, {0.5, 2});
  optimizer.step(0.5, 0);  // v = (1, 2), at half the rate
  EXPECT_EQ(values(bias), (std::vector<float>{0.625, -1.25}));
}

TEST(Optimizer, ClipsTheNormOfTheWholeGradient) {
  Parameter a = parameter("a", {1}, {0}), b = parameter("b", {1}, {0});
  Optimizer optimizer({.name = "sgd", .weight_decay = 0, .momentum = 0}, {{{&a}, 1}, {{&b}, 1}});
  give_gradient(a, {3});
  give_gradient(b, {-4});
  EXPECT_EQ(optimizer.step(1, 2.5), 5);  // before it is clipped
  EXPECT_EQ(values(a)[0], -1.5f);
  EXPECT_EQ(values(b)[0], 2.0f);
}

TEST(Optimizer, LeavesASmallGradientAsItIs) {
  Parameter a = parameter("a", {1}, {0});
  Optimizer optimizer({.name = "sgd", .weight_decay = 0, .momentum = 0}, {{{&a}, 1}});
  give_gradient(a, {0.75});
  EXPECT_EQ(optimizer.step(1, 1), 0.75);
  EXPECT_EQ(values(a)[0], -0.75f);
}

TEST(Optimizer, DecaysMatricesOnly) {
  Parameter matrix = parameter("matrix", {1, 1}, {1}), bias = parameter("bias", {1}, {1});
  Optimizer optimizer({.weight_decay = 0.5}, {{{&matrix, &bias}, 0.5}});
  give_gradient(matrix, {0});
  give_gradient(bias, {0});
  optimizer.step(1, 0);
  EXPECT_EQ(values(matrix)[0], 0.75f);  // p (1 - rate decay)
  EXPECT_EQ(values(bias)[0], 1.0f);
}

TEST(Optimizer, EachGroupHasItsRate) {
  Parameter adapter = parameter("adapter", {1}, {0}), head = parameter("head", {1}, {0});
  Optimizer optimizer({.name = "sgd", .weight_decay = 0, .momentum = 0},
                      {{{&adapter}, 0.5}, {{&head}, 0.25}});
  give_gradient(adapter, {1});
  give_gradient(head, {1});
  optimizer.step(1, 0);
  EXPECT_EQ(values(adapter)[0], -0.5f);
  EXPECT_EQ(values(head)[0], -0.25f);
}

TEST(Optimizer, LeavesAloneWhatHasNoGradient) {
  Parameter used = parameter("used", {1}, {1}), unused = parameter("unused", {1, 1}, {1});
  Optimizer optimizer({}, {{{&used, &unused}, 0.5}});
  give_gradient(used, {1});
  optimizer.step(1, 1);
  EXPECT_LT(values(used)[0], 1.0f);
  EXPECT_EQ(values(unused)[0], 1.0f);
}

TEST(Optimizer, RefusesAGradientThatIsNotFiniteAndUpdatesNothing) {
  Parameter good = parameter("good", {1}, {1}), bad = parameter("bad.weight", {1}, {1});
  Optimizer optimizer({}, {{{&good, &bad}, 0.5}});
  give_gradient(good, {1});
  give_gradient(bad, {std::numeric_limits<float>::quiet_NaN()});
  try {
    optimizer.step(1, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the gradient of bad.weight is not finite at step 1"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(values(good)[0], 1.0f);
  EXPECT_EQ(optimizer.steps(), 0);
}

}  // namespace
}  // namespace inlay
