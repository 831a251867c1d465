// Several adapters of one base, each with its own head and task, asked in one pass: all of them
// about the same examples, or each about its own. What a learner gives is bitwise what predict()
// gives with it alone.
//
//   SharedWork work;
//   auto outputs = predict_parallel(context, learners, examples, {}, work);
//   learners[1].learner.task->prediction(outputs[1][0]);   // the second on the first example
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/learner.h"

namespace inlay {

struct NamedLearner {
  std::string name;
  const TaskInfo* task = nullptr;
  Learner learner;
};

// By learner, then by example. The base runs once for all rows that no adapter has changed yet; see
// models/shared_rows.h. REQUIRES: all learners have the same model.
std::vector<std::vector<ModelOutput>> predict_parallel(Context& context,
                                                       std::span<const NamedLearner> learners,
                                                       ExampleSpan examples,
                                                       const Occasion& occasion, SharedWork& work);

// By example: what learner `choice[i]` gives for example i. Each product of the base takes the
// examples of all learners together. REQUIRES: as above, and a choice for each example.
std::vector<ModelOutput> predict_by_row(Context& context, std::span<const NamedLearner> learners,
                                        std::span<const std::size_t> choice, ExampleSpan examples,
                                        const Occasion& occasion);

}  // namespace inlay
