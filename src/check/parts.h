// The checks by subject; each adds its findings.
#pragma once

#include "check/check.h"
#include "check/step_memory.h"

namespace inlay {

using Findings = std::vector<Finding>;

// C-1, C-2, C-4, C-5: what the method adapts of this base. False when it adapts nothing.
bool check_sites(const CheckSubject& subject, Findings& findings);
// C-4 of a base in fewer bits: how far its weights are from those of its files; when thorough, its
// logits, too, for which the base is loaded again as the files have it. Nothing for another base.
void check_quantisation(const CheckSubject& subject, Learner& learner, Findings& findings);
// C-6 and C-7.
void check_data(const CheckSubject& subject, Findings& findings);
// C-9 to C-13 on a throw-away learner; what memory a token and the fixed parts take.
struct ProbeCost {
  MemoryMode mode = MemoryMode::kFast;  // that was tried
  StepMemory step;
  WeightMemory weights;
  uint64_t resident_bytes = 0;  // of the process after it
  uint64_t trained_bytes = 0;   // values of what is trained
  bool whole_batches = false;   // no part of a batch is computed without the rest
  int64_t chunk = 1;            // examples of a batch that are never parted
};
ProbeCost check_probe(const CheckSubject& subject, Learner learner, Findings& findings);
// What a step takes in some way, tried on a learner that is thrown away.
StepMemory measure_step(const CheckSubject& subject, Learner& learner, const StepWay& way);
// C-12, after a few steps of the probe.
class Probe;
void check_storage(const CheckSubject& subject, Probe& probe, Learner& learner, Findings& findings);
// C-8: chooses the way of running a step.
MemoryPlan check_memory(const CheckSubject& subject, const ProbeCost& cost, Findings& findings);
// C-14: whether layers below everything that is trained are computed once, and what that saves, as
// a few examples show it.
void check_prefix(const CheckSubject& subject, Learner learner, const MemoryPlan& plan,
                  Findings& findings);
// Bytes that the run may take in all.
uint64_t memory_limit(const CheckSubject& subject);

}  // namespace inlay
