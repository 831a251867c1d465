#include "autograd/ops/row_ops.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/scale.h"

namespace inlay {
namespace {

TEST(SliceAndConcatRows, TakeExamplesApartAndJoinThem) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}}, .function = [](OpRun& run) {
                    std::vector<Variable> parts;
                    for (int64_t i = 0; i < run.tokens.examples(); ++i) {
                      auto example = static_cast<std::size_t>(i);
                      int64_t first = run.tokens.example_offsets[example],
                              last = run.tokens.example_offsets[example + 1];
                      int32_t place = run.tokens.example_place[static_cast<std::size_t>(first)];
                      const RowSpace& rows =
                          run.kept_spaces.emplace_back(make_row_space({last - first}, 1, place));
                      Variable part = slice_rows(run.context, run.x[0], first, last, &rows);
                      parts.push_back(scale(run.context, part, place + 0.5));
                    }
                    return concat_rows(run.context, parts, &run.tokens);
                  }};
  });
}

TEST(SliceRows, AddGradientsOfRowsThatOverlap) {
  expect_op_contract([](int64_t channels) {
    return OpCase{
        .inputs = {{channels, RowsOf::kExamples}}, .function = [](OpRun& run) {
          std::vector<Variable> parts;
          for (int64_t i = 0; i < run.examples.examples(); ++i) {
            for (int twice = 0; twice < 2; ++twice) {
              parts.push_back(slice_rows(run.context, run.x[0], i, i + 1, &run.examples));
            }
          }
          std::vector<int64_t> lengths(static_cast<std::size_t>(run.examples.examples()), 2);
          int32_t place = run.examples.example_place[0];
          return concat_rows(run.context, parts,
                             &run.kept_spaces.emplace_back(make_row_space(lengths, 1, place)));
        }};
  });
}

TEST(InsertRows, SetsRowsOfEachExampleAmongItsOwn) {
  for (int64_t at : {0, 1}) {
    expect_op_contract([at](int64_t channels) {
      return OpCase{
          .inputs = {{channels}, {channels, RowsOf::kKeys}}, .function = [at](OpRun& run) {
            std::vector<int64_t> lengths;
            for (std::size_t e = 1; e < run.tokens.example_offsets.size(); ++e) {
              lengths.push_back(run.tokens.example_offsets[e] - run.tokens.example_offsets[e - 1] +
                                run.keys.example_offsets[e] - run.keys.example_offsets[e - 1]);
            }
            const RowSpace& rows = run.kept_spaces.emplace_back(
                make_row_space(lengths, 1, run.tokens.example_place[0]));
            return insert_rows(run.context, run.x[0], run.x[1], at, &rows);
          }};
    });
  }
}

TEST(InsertRows, KeepsTheOrderOfOwnRowsAroundTheInserted) {
  OpContext context(DType::kF32);
  RowSpace own = make_row_space({2, 1}), added = make_row_space({1, 2}),
           all = make_row_space({3, 3});
  Variable x = context.tape.constant(Tensor::of<float>({3, 1}, std::vector<float>{1, 2, 3}), &own);
  Variable inserted =
      context.tape.constant(Tensor::of<float>({3, 1}, std::vector<float>{-1, -2, -3}), &added);
  Tensor y = insert_rows(context, x, inserted, 1, &all).value();
  EXPECT_EQ(std::vector<float>(y.data<float>(), y.data<float>() + 6),
            (std::vector<float>{1, -1, 2, 3, -2, -3}));
}

TEST(RepeatRows, GivesAParameterToEveryExample) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kExamples}},
                    .parameters = {{3, channels}},
                    .function = [precision](OpRun& run) {
                      std::vector<int64_t> lengths(
                          static_cast<std::size_t>(run.examples.examples()), 3);
                      const RowSpace& rows = run.kept_spaces.emplace_back(
                          make_row_space(lengths, 1, run.examples.example_place[0]));
                      return repeat_rows(run.context, run.p[0], precision, &rows);
                    }};
    });
  }
}

TEST(SelectRows, TakesTheNumberedRows) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}}, .function = [](OpRun& run) {
                      std::vector<int64_t> ends(run.tokens.example_offsets.begin() + 1,
                                                run.tokens.example_offsets.end());
                      for (int64_t& row : ends) --row;
                      return select_rows(run.context, run.x[0], ends, &run.examples);
                    }};
    });
  }
}

}  // namespace
}  // namespace inlay
