#include "cli/narrator.h"

#include <fmt/core.h>

#include <cmath>

#include "base/log.h"
#include "base/process.h"
#include "base/units.h"
#include "tensor/threads.h"

namespace inlay::cli {
namespace {

// "1:20", "2:03:15".
std::string clock(double seconds) {
  int64_t whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string head_text(const Learner& learner) {
  if (learner.head == nullptr) return "no head";
  return format_count(learner.head->parameter_count()) + " in the head";
}

}  // namespace

std::string progress_text(const ProgressFigures& figures) {
  const StepReport& report = figures.report;
  return fmt::format("step {}/{}  {} left  loss {:.3f}{}  {} tok/s  {:.0f} % peak  {}", report.step,
                     report.total_steps, clock(figures.seconds_left), report.loss, figures.metric,
                     format_count(static_cast<int64_t>(report.tokens_per_second)),
                     100 * figures.share_of_peak, format_bytes(figures.memory));
}

void Narrator::opened(const Workbench& bench, double peak) {
  peak_ = peak;
  metric_name_ = bench.config.metric;
  const Split& split = bench.splits[0];
  log_info("{}: {} examples{}; {}", bench.config.data.empty() ? "data" : bench.config.data,
           format_count(static_cast<int64_t>(bench.data.examples.size())),
           bench.data.classes.empty() ? "" : fmt::format(", {} classes", bench.data.classes.size()),
           bench.data.columns.describe());
  log_info("train {}, validation {}, test {}{}", split.train.size(), split.validation.size(),
           split.test.size(),
           bench.folded() ? fmt::format(" in each of {} folds", bench.config.folds) : "");
  if (bench.counts.conversations > 0) log_info("{}", bench.counts.describe());
  if (bench.truncated > 0)
    log_warn("{} examples are longer than the longest input and were cut", bench.truncated);
  Learner learner = bench.make_learner(split);
  log_info("{}: {} trainable parameters at {} sites, {}; {} with {} threads", bench.config.method,
           format_count(learner.adapter->parameter_count()), learner.adapter->sites().size(),
           head_text(learner), bench.config.compute, thread_count());
}

void Narrator::checked(const CheckReport& report) {
  int errors = 0, warnings = 0;
  for (const Finding& finding : report.findings) {
    errors += finding.severity == Severity::kError ? 1 : 0;
    warnings += finding.severity == Severity::kWarning ? 1 : 0;
    if (finding.severity == Severity::kWarning) log_warn("{} {}", finding.id, finding.text);
  }
  log_info("checked in {:.1f} s: {} errors, {} warnings", report.seconds, errors, warnings);
}

void Narrator::fold(int64_t number, int64_t folds) {
  line_.finish();
  folds_left_ = folds - number;
  metric_.clear();
  log_info("fold {} of {}", number, folds);
}

void Narrator::started(int64_t steps_done, int64_t epochs_done) {
  if (steps_done > 0)
    log_info("going on after step {}; {} epochs are done", steps_done, epochs_done);
}

void Narrator::step(const StepReport& report) {
  int64_t steps_left = report.total_steps * (1 + folds_left_) - report.step;
  line_.update(
      progress_text({.report = report,
                     .seconds_left = report.seconds_per_step * static_cast<double>(steps_left),
                     .metric = metric_,
                     .share_of_peak = report.flops_per_second / peak_,
                     .memory = current_rss_bytes()}));
}

void Narrator::epoch(const EpochReport& report) {
  line_.finish();
  std::string text = fmt::format("epoch {}  train loss {:.4f}", report.epoch, report.train_loss);
  if (report.validation.is_object()) {
    const Json& value = report.validation.at(metric_name_);
    std::string figure =
        value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "undefined";
    text += fmt::format("  validation {} {}{}", metric_name_, figure,
                        report.best ? "  (best so far)" : "");
    metric_ = value.is_number() ? fmt::format("  val {:.3f}", value.get<double>()) : "";
  }
  log_info("{}", text);
  if (report.validation.is_object() && report.validation.at(metric_name_).is_null()) {
    log_warn("{} is undefined on this validation part: the epoch cannot be chosen by it",
             metric_name_);
  }
}

}  // namespace inlay::cli
