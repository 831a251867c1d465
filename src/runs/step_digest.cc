#include "runs/step_digest.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace inlay {

StepDigest StepDigest::from_json(const Json& json, std::string_view where) {
  StepDigest digest(json_get<int64_t>(json, "every", where));
  require(digest.every_ > 0, ErrorKind::kInput, "{}: \"every\" is {}; expected 1 or more", where,
          digest.every_);
  digest.count_ = json_get<int64_t>(json, "count", where);
  digest.last_ = json_get<std::string>(json, "last", where);
  for (const Json& mark : json.value("marks", Json::array())) {
    digest.marks_.push_back({json_get<int64_t>(mark, "step", where),
                             json_get<std::string>(mark, "loss", where),
                             json_get<std::string>(mark, "gradient_norm", where),
                             json_get<std::string>(mark, "digest", where)});
  }
  return digest;
}

void StepDigest::add(int64_t step, double loss, double gradient_norm) {
  ensure(step == count_ + 1, "step {} was added to a digest of {} steps", step, count_);
  const std::string loss_text = fmt::format("{:a}", loss);
  const std::string norm_text = fmt::format("{:a}", gradient_norm);
  last_ = hex(sha256(fmt::format("{}\n{}\n{}\n{}\n", last_, step, loss_text, norm_text)));
  count_ = step;
  if (step == 1 || step % every_ == 0) marks_.push_back({step, loss_text, norm_text, last_});
}

Json StepDigest::to_json() const {
  Json marks = Json::array();
  for (const Mark& mark : marks_) {
    marks.push_back({{"step", mark.step},
                     {"loss", mark.loss},
                     {"gradient_norm", mark.gradient_norm},
                     {"digest", mark.digest}});
  }
  return {{"every", every_}, {"count", count_}, {"last", last_}, {"marks", marks}};
}

int64_t first_difference(const Json& a, const Json& b) {
  const Json marks_a = a.value("marks", Json::array());
  const Json marks_b = b.value("marks", Json::array());
  for (std::size_t i = 0; i < std::min(marks_a.size(), marks_b.size()); ++i) {
    if (marks_a[i] != marks_b[i]) return json_get<int64_t>(marks_a[i], "step", "the step digest");
  }
  if (a.value("last", "") == b.value("last", "")) return 0;
  return std::min(a.value("count", int64_t{0}), b.value("count", int64_t{0}));
}

}  // namespace inlay
