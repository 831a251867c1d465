// The contract that every op keeps, for tests: gradients are derivatives, the compute types agree,
// and neither the micro-batches nor the threads change a bit. A test says what goes in and which
// function is under test:
//
//   expect_op_contract([](int64_t channels) {
//     return OpCase{.inputs = {{channels}, {channels}},
//                   .function = [](OpRun& run) { return add(run.context, run.x[0], run.x[1]); }};
//   });
//
// Numbers are drawn so that bfloat16 holds them: what the types differ in is their arithmetic
// alone.
#pragma once

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "autograd/op_context.h"
#include "autograd/operands.h"
#include "base/random.h"

namespace inlay {

// Examples of these lengths end to end, the first of them at `first_place` of the effective batch.
inline RowSpace make_row_space(const std::vector<int64_t>& lengths, int64_t chunk = 1,
                               int64_t first_place = 0) {
  RowSpace space{.example_offsets = {0}, .chunk_offsets = {0}};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    for (int64_t t = 0; t < lengths[i]; ++t) {
      space.example_place.push_back(static_cast<int32_t>(first_place) + static_cast<int32_t>(i));
      space.token_position.push_back(static_cast<int32_t>(t));
    }
    space.example_offsets.push_back(space.example_offsets.back() + lengths[i]);
    bool ends_chunk = (static_cast<int64_t>(i) + 1) % chunk == 0 || i + 1 == lengths.size();
    if (ends_chunk) space.chunk_offsets.push_back(space.example_offsets.back());
  }
  return space;
}

// Standard normal numbers with 8 significant bits.
inline double draw(const std::string& name, uint64_t element) {
  return static_cast<double>(static_cast<float>(BFloat16(Stream(7, name).normal(element))));
}
inline std::vector<double> draws(const std::string& name, int64_t count) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(draw(name, static_cast<uint64_t>(i)));
  return numbers;
}

inline Tensor tensor_of(const Shape& shape, DType dtype, const double* numbers,
                        std::pmr::memory_resource* memory = std::pmr::new_delete_resource()) {
  Tensor tensor = Tensor::empty(shape, dtype, memory);
  for (int64_t i = 0; i < tensor.count(); ++i) out(tensor).store(i, numbers[i]);
  return tensor;
}
inline Tensor drawn_tensor(const std::string& name, const Shape& shape, DType dtype = DType::kF32) {
  return tensor_of(shape, dtype, draws(name, shape.count()).data());
}

// The rows of an input: the tokens of the examples, other tokens of the same examples (an
// encoder's, seen from a decoder), or the examples themselves.
enum class RowsOf { kTokens, kKeys, kExamples };

struct OpInput {
  int64_t channels;
  RowsOf rows = RowsOf::kTokens;
  Precision precision = Precision::kFull;
};

// One micro-batch, as the function under test sees it.
struct OpRun {
  OpContext& context;
  std::deque<Parameter>& p;
  RowSpace tokens, keys, examples;
  std::vector<Variable> x;
  std::deque<std::vector<int32_t>> kept_numbers;  // what an op refers to until its backward pass
  std::deque<RowSpace> kept_spaces;

  const RowSpace& space(RowsOf rows) const {
    return rows == RowsOf::kTokens ? tokens : rows == RowsOf::kKeys ? keys : examples;
  }
  // A number below `bound` for each row.
  std::vector<int32_t>& numbers(const RowSpace& rows, int32_t bound) {
    std::vector<int32_t>& numbers = kept_numbers.emplace_back();
    for (std::size_t i = 0; i < rows.example_place.size(); ++i) {
      numbers.push_back((rows.example_place[i] * 5 + rows.token_position[i] * 3) % bound);
    }
    return numbers;
  }
};

struct OpCase {
  std::vector<OpInput> inputs;
  std::vector<Shape> parameters = {};
  std::function<Variable(OpRun&)> function;
  bool equal_seeds = false;  // for losses, which are walked back from with one seed
  // One of the eight examples is longer than the block of rows that products are made in.
  std::vector<int64_t> lengths = {5, 1, 3, 8, 2, 66, 4, 6};
  std::vector<int64_t> difference_lengths = {3, 1, 2};  // of those for finite differences
};
using OpCaseOfSize = std::function<OpCase(int64_t channels)>;

// A result by name: the output, the gradients of the inputs, the gradients of the parameters. A
// double holds every other type exactly, so equal bits stay equal and others differ.
struct NamedNumbers {
  std::string name;
  std::vector<double> numbers;
};

// An op over a whole batch of examples with drawn inputs, run in any compute type and any
// micro-batches.
class OpTrial {
 public:
  OpTrial(OpCase op, std::vector<int64_t> lengths)
      : op_(std::move(op)), lengths_(std::move(lengths)) {
    for (const OpInput& input : op_.inputs) {
      names_.push_back("input " + std::to_string(names_.size()));
      values_.push_back(draws(names_.back(), rows_before(input.rows, examples()) * input.channels));
    }
    for (const Shape& shape : op_.parameters) {
      names_.push_back("parameter " + std::to_string(names_.size() - op_.inputs.size()));
      values_.push_back(draws(names_.back(), shape.count()));
    }
  }

  int64_t examples() const { return static_cast<int64_t>(lengths_.size()); }
  int64_t tokens() const { return rows_before(RowsOf::kTokens, examples()); }
  // The numbers of all inputs, then of all parameters.
  std::vector<std::vector<double>>& values() { return values_; }

  // Forward and backward over micro-batches of so many examples each. All memory must be back
  // afterwards.
  std::vector<NamedNumbers> run(DType compute, const std::vector<int64_t>& micro_batches,
                                int64_t chunk = 1) const {
    OpContext context(compute);
    std::deque<Parameter> parameters = make_parameters(compute);
    std::vector<NamedNumbers> results{{"output", {}}};
    for (const std::string& name : names_) results.push_back({"gradient of " + name, {}});
    int64_t first = 0;
    for (int64_t count : micro_batches) {
      OpRun run = make_run(context, parameters, first, first + count, chunk);
      feed(run, first);
      run_backward(run, results);
      first += count;
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      append(parameters[i].take_gradient(), parameters[i].shape().count(),
             results[1 + op_.inputs.size() + i]);
    }
    EXPECT_EQ(context.arena.bytes_in_use(), 0u) << "memory was kept after the backward pass";
    return results;
  }

  // The output's elements times the seeds of the backward pass, in float64: their sum, and the sum
  // of their magnitudes.
  struct Contraction {
    double sum = 0, magnitude = 0;
  };
  Contraction contract() const {
    OpContext context(DType::kF64);
    context.tape.set_recording(false);
    std::deque<Parameter> parameters = make_parameters(DType::kF64);
    OpRun run = make_run(context, parameters, 0, examples(), 1);
    feed(run, 0);
    Variable y = op_.function(run);
    Tensor seed = seed_of(y, context);
    Contraction result;
    for (int64_t i = 0; i < seed.count(); ++i) {
      double term = seed.data<double>()[i] * y.value().data<double>()[i];
      result.sum += term;
      result.magnitude += std::fabs(term);
    }
    return result;
  }

 private:
  std::deque<Parameter> make_parameters(DType compute) const {
    std::deque<Parameter> parameters;
    DType dtype = compute == DType::kF64 ? compute : DType::kF32;
    for (std::size_t i = 0; i < op_.parameters.size(); ++i) {
      std::size_t number = op_.inputs.size() + i;
      parameters.emplace_back(names_[number],
                              tensor_of(op_.parameters[i], dtype, values_[number].data()));
    }
    return parameters;
  }

  int64_t length(RowsOf rows, int64_t example) const {
    int64_t tokens = lengths_[static_cast<std::size_t>(example)];
    return rows == RowsOf::kTokens ? tokens : rows == RowsOf::kKeys ? tokens * 7 % 5 + 1 : 1;
  }
  int64_t rows_before(RowsOf rows, int64_t example) const {
    int64_t total = 0;
    for (int64_t i = 0; i < example; ++i) total += length(rows, i);
    return total;
  }
  RowSpace space(RowsOf rows, int64_t first, int64_t last, int64_t chunk) const {
    std::vector<int64_t> lengths;
    for (int64_t i = first; i < last; ++i) lengths.push_back(length(rows, i));
    return make_row_space(lengths, chunk, first);
  }

  OpRun make_run(OpContext& context, std::deque<Parameter>& parameters, int64_t first, int64_t last,
                 int64_t chunk) const {
    ++context.forward;
    return {context,
            parameters,
            space(RowsOf::kTokens, first, last, chunk),
            space(RowsOf::kKeys, first, last, chunk),
            space(RowsOf::kExamples, first, last, chunk),
            {},
            {},
            {}};
  }

  // Puts the inputs of the run's examples on the tape; the run must stay where it is from now on.
  void feed(OpRun& run, int64_t first) const {
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      const OpInput& input = op_.inputs[i];
      const RowSpace& rows = run.space(input.rows);
      const double* numbers = values_[i].data() + rows_before(input.rows, first) * input.channels;
      Tensor value = tensor_of({rows.rows(), input.channels}, run.context.dtype(input.precision),
                               numbers, &run.context.arena);
      run.x.push_back(run.context.tape.input(std::move(value), &rows));
    }
  }

  void run_backward(OpRun& run, std::vector<NamedNumbers>& results) const {
    Variable y = op_.function(run);
    append(y.value(), y.value().count(), results[0]);
    run.context.tape.backward(y, seed_of(y, run.context));
    for (std::size_t i = 0; i < run.x.size(); ++i)
      append(run.x[i].grad(), run.x[i].value().count(), results[1 + i]);
  }

  Tensor seed_of(const Variable& y, OpContext& context) const {
    Tensor seed = Tensor::empty(y.shape(), y.dtype(), &context.arena);
    const RowSpace& rows = *y.row_space();
    for (int64_t i = 0; i < seed.count(); ++i) {
      auto row = static_cast<std::size_t>(i / y.channels());
      int64_t token = rows.example_place[row] * 4096 + rows.token_position[row];
      auto element = static_cast<uint64_t>(token * y.channels() + i % y.channels());
      out(seed).store(i, op_.equal_seeds ? 0.75 : draw("seed", element));
    }
    return seed;
  }

  // No gradient at all is a gradient of zeros.
  static void append(const Tensor& tensor, int64_t count, NamedNumbers& result) {
    for (int64_t i = 0; i < count; ++i)
      result.numbers.push_back(tensor.defined() ? in(tensor).load<double>(i) : 0.0);
  }

  OpCase op_;
  std::vector<int64_t> lengths_;
  std::vector<std::string> names_;
  std::vector<std::vector<double>> values_;
};

// Half a unit in the last place per rounding, relative to the largest result; the roundings of a
// sum of `terms` add up like a random walk.
inline double rounding_bound(DType dtype, int64_t terms) {
  double unit = dtype == DType::kBF16 ? 0x1p-9 : 0x1p-24;
  return unit * (8.0 + 2.0 * std::sqrt(static_cast<double>(terms)));
}

// A central difference over +-h is off by h^2 / 6 times the third derivative, taken to be no more
// than some tens of the gradient, and by the rounding of the sum that is contracted, over h.
inline double difference_bound(double step, double largest_gradient, double magnitude) {
  return 32 * (step * step * (1 + largest_gradient) + 0x1p-52 * magnitude / step);
}

inline double largest_magnitude(const std::vector<double>& numbers) {
  double largest = 0;
  for (double number : numbers) largest = std::max(largest, std::fabs(number));
  return largest;
}

// Every number within the bound; a failure shows the worst.
inline void expect_near(const NamedNumbers& found, const std::vector<double>& expected,
                        double bound) {
  ASSERT_EQ(found.numbers.size(), expected.size()) << found.name;
  double worst = -1;
  std::size_t at = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double error = std::fabs(found.numbers[i] - expected[i]);
    if (!(error <= worst)) worst = error, at = i;
    if (std::isnan(error)) break;
  }
  if (expected.empty()) return;
  EXPECT_LE(worst, bound) << found.name << "[" << at << "] is " << found.numbers[at]
                          << ", expected " << expected[at];
}

// Every bit equal; a failure shows the first difference.
inline void expect_same_bits(const std::vector<NamedNumbers>& found,
                             const std::vector<NamedNumbers>& expected) {
  for (std::size_t r = 0; r < expected.size(); ++r) {
    const auto &a = found[r].numbers, &b = expected[r].numbers;
    ASSERT_EQ(a.size(), b.size()) << found[r].name;
    auto differs = [](double x, double y) { return std::memcmp(&x, &y, sizeof(x)) != 0; };
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_FALSE(differs(a[i], b[i]))
          << found[r].name << "[" << i << "] is " << a[i] << ", expected " << b[i];
    }
  }
}

inline void expect_gradients_are_derivatives(const OpCase& op) {
  constexpr double kStep = 0x1p-16;
  OpTrial trial(op, op.difference_lengths);
  std::vector<NamedNumbers> found = trial.run(DType::kF64, {3});
  double magnitude = trial.contract().magnitude;
  for (std::size_t r = 0; r < trial.values().size(); ++r) {
    std::vector<double> differences;
    for (double& number : trial.values()[r]) {
      double middle = number;
      number = middle + kStep;
      double above = trial.contract().sum;
      number = middle - kStep;
      differences.push_back((above - trial.contract().sum) / (2 * kStep));
      number = middle;
    }
    expect_near(found[1 + r], differences,
                difference_bound(kStep, largest_magnitude(differences), magnitude));
  }
}

inline void expect_types_agree(const OpCase& op, int64_t channels) {
  OpTrial trial(op, op.lengths);
  std::vector<NamedNumbers> exact = trial.run(DType::kF64, {8});
  for (DType compute : {DType::kF32, DType::kBF16}) {
    SCOPED_TRACE(dtype_name(compute));
    std::vector<NamedNumbers> found = trial.run(compute, {8});
    double bound = rounding_bound(compute, std::max(channels, trial.tokens()));
    for (std::size_t r = 0; r < exact.size(); ++r) {
      expect_near(found[r], exact[r].numbers, bound * largest_magnitude(exact[r].numbers));
    }
  }
}

// So many threads for as long as this lives.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

inline void expect_splits_and_threads_agree(const OpCase& op) {
  OpTrial trial(op, op.lengths);
  for (DType compute : {DType::kF32, DType::kBF16}) {
    SCOPED_TRACE(dtype_name(compute));
    std::vector<NamedNumbers> whole = trial.run(compute, {8});
    expect_same_bits(trial.run(compute, {4, 4}), whole);
    expect_same_bits(trial.run(compute, {3, 5}), whole);
    expect_same_bits(trial.run(compute, {4, 4}, 4), trial.run(compute, {8}, 4));
    Threads two(2);
    expect_same_bits(trial.run(compute, {8}), whole);
  }
}

// All of it, over a few sizes that are no multiples of a vector. `op` is asked for multiples of 4.
inline void expect_op_contract(const OpCaseOfSize& op) {
  Threads one(1);
  {
    SCOPED_TRACE("finite differences");
    expect_gradients_are_derivatives(op(4));
  }
  for (int64_t channels : {4, 36}) {
    SCOPED_TRACE("against float64 with " + std::to_string(channels) + " channels");
    expect_types_agree(op(channels), channels);
  }
  SCOPED_TRACE("micro-batches and threads");
  expect_splits_and_threads_agree(op(20));
}

}  // namespace inlay
