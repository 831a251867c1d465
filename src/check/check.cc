#include "check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/nearest.h"
#include "check/parts.h"
#include "tensor/tensor_heap.h"

namespace inlay {

bool CheckReport::passed(const std::vector<std::string>& allowed) const {
  return std::none_of(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.severity == Severity::kError &&
           std::find(allowed.begin(), allowed.end(), finding.id) == allowed.end();
  });
}

Json CheckReport::to_json(const std::vector<std::string>& allowed) const {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    bool waived = finding.severity == Severity::kError &&
                  std::find(allowed.begin(), allowed.end(), finding.id) != allowed.end();
    Json item{{"id", finding.id},
              {"severity", severity_name(finding.severity)},
              {"text", finding.text},
              {"details", finding.details}};
    if (waived) item["allowed"] = true;
    list.push_back(std::move(item));
  }
  return {{"passed", passed(allowed)},
          {"allowed", allowed},
          {"findings", list},
          {"memory",
           {{"mode", memory_mode_name(memory.mode)},
            {"micro_batch_tokens", memory.micro_batch_tokens},
            {"prefix_room", memory.prefix_room}}}};
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  fail(ErrorKind::kInternal, "an unknown severity");
}

const std::vector<std::string>& check_ids() {
  static const std::vector<std::string> ids = [] {
    std::vector<std::string> all;
    for (int i = 1; i <= 14; ++i) all.push_back(fmt::format("C-{}", i));
    return all;
  }();
  return ids;
}

void require_check_ids(const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    bool known = std::find(check_ids().begin(), check_ids().end(), id) != check_ids().end();
    require(known, ErrorKind::kUsage,
            "there is no check \"{}\"; did you mean {}? There are C-1 to {}", id,
            nearest_name(id, check_ids()), check_ids().back());
  }
}

CheckReport run_checks(const CheckSubject& subject) {
  auto begin = std::chrono::steady_clock::now();
  CheckReport report;
  if (check_sites(subject, report.findings)) {
    check_data(subject, report.findings);
    try {
      Learner learner = subject.fresh();
      check_quantisation(subject, learner, report.findings);
      ProbeCost cost = check_probe(subject, std::move(learner), report.findings);
      report.memory = check_memory(subject, cost, report.findings);
      if (report.findings.back().severity != Severity::kError)
        check_prefix(subject, subject.fresh(), report.memory, report.findings);
      trim_tensor_heap();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInterrupted) throw;
      report.findings.push_back({"C-3", Severity::kError, error.what()});
    }
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace inlay
