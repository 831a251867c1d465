#include "train/run_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/composition_tree.h"

namespace inlay {

CheckReport check_run(const Workbench& bench, bool thorough,
                      const std::optional<MemoryPlan>& memory) {
  const Split& split = bench.splits[0];
  std::vector<const EncodedExample*> train = bench.pick(split.train);
  std::vector<const EncodedExample*> validation = bench.pick(split.validation);
  // With names of finished adapters replaced by what they are.
  std::string method = bench.config.method;
  if (is_composition(method)) method = bench.make_learner(split).adapter->method_text();
  CheckSubject subject{.model = *bench.model,
                       .method = method,
                       .fresh = [&] { return bench.make_learner(split); },
                       .data = bench.data,
                       .train = train,
                       .validation = validation,
                       .train_indices = split.train,
                       .test_indices = split.test,
                       .truncated = bench.truncated,
                       .compute = bench.compute,
                       .plan = batch_plan(bench.config),
                       .epochs = bench.config.epochs,
                       .micro_batch = bench.config.micro_batch,
                       .micro_batch_tokens = bench.config.micro_batch_tokens,
                       .memory_limit = static_cast<uint64_t>(bench.config.memory_limit_mb) << 20,
                       .reuse = bench.config.reuse == "auto",
                       .thorough = thorough};
  if (bench.config.memory != "auto") subject.memory = memory_mode_named(bench.config.memory);
  if (memory.has_value()) {
    subject.memory = memory->mode;
    subject.micro_batch_tokens = memory->micro_batch_tokens;
  }
  return run_checks(subject);
}

void require_passed(const CheckReport& report, const TrainConfig& config) {
  if (report.passed(config.allow)) return;
  std::string errors, ids;
  for (const Finding& finding : report.findings) {
    bool allowed =
        std::find(config.allow.begin(), config.allow.end(), finding.id) != config.allow.end();
    if (finding.severity != Severity::kError || allowed) continue;
    errors += fmt::format("\n  {} {}", finding.id, finding.text);
    ids += (ids.empty() ? "" : ",") + finding.id;
  }
  fail(ErrorKind::kUsage, "the checks before training failed:{}\nMend it, or go on with --allow {}",
       errors, ids);
}

}  // namespace inlay
