#include "train/saved_run.h"

#include "base/json.h"
#include "train/run_inputs.h"
#include "train/training_run.h"

namespace inlay {

RunSplit run_split_from_name(const std::string& name) {
  if (name == "train") return RunSplit::kTrain;
  if (name == "validation") return RunSplit::kValidation;
  require(name == "test", ErrorKind::kUsage,
          "split \"{}\" is unknown; expected train, validation or test", name);
  return RunSplit::kTest;
}

std::vector<ModelOutput> outputs_of_run(const RunFolder& run, const Workbench& bench,
                                        RunSplit part) {
  check_inputs(read_json(run.inputs()), bench, run.inputs().string());
  std::vector<ModelOutput> pooled;
  for (std::size_t number = 0; number < bench.splits.size(); ++number) {
    const Split& split = bench.splits[number];
    const auto& indices = part == RunSplit::kTrain        ? split.train
                          : part == RunSplit::kValidation ? split.validation
                                                          : split.test;
    Learner learner = learner_from(
        bench.model,
        load_adapter(split_folder(run, bench, number) / "adapter", bench.model->facts()),
        {.options = {.tokenizer = bench.tokenizer.get()}});
    Context context(bench.compute);
    activate(context, learner);
    auto outputs = predict(context, learner, bench.pick(indices));
    pooled.insert(pooled.end(), outputs.begin(), outputs.end());
  }
  return pooled;
}

}  // namespace inlay
