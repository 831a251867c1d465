#include "text/chat/marked_text.h"

#include <algorithm>

#include "text/chat/budget.h"

namespace inlay::chat {

std::vector<MarkedText::Run>::const_iterator MarkedText::run_at(std::size_t byte) const {
  return std::upper_bound(runs_.begin(), runs_.end(), byte,
                          [](std::size_t at, const Run& run) { return at < run.end; });
}

Mark MarkedText::mark_at(std::size_t byte) const { return run_at(byte)->mark; }

void MarkedText::append(std::string_view bytes, Mark mark) {
  if (bytes.empty()) return;
  require(bytes.size() <= kMaxTextBytes - bytes_.size(), ErrorKind::kInput,
          "a text grows beyond {} MiB; the template repeats text too often", kMaxTextBytes >> 20);
  bytes_ += bytes;
  if (!runs_.empty() && runs_.back().mark == mark) {
    runs_.back().end = bytes_.size();
  } else {
    runs_.push_back({bytes_.size(), mark});
  }
}

void MarkedText::append(const MarkedText& other, std::size_t begin, std::size_t end) {
  const std::string_view bytes = other.bytes_;
  for (auto run = other.run_at(begin); begin < end; ++run) {
    const std::size_t stop = std::min(end, run->end);
    append(bytes.substr(begin, stop - begin), run->mark);
    begin = stop;
  }
}

MarkedText MarkedText::slice(std::size_t begin, std::size_t end) const {
  MarkedText result;
  result.append(*this, begin, end);
  return result;
}

void MarkedText::mark_generation() {
  std::vector<Run> runs;
  runs.reserve(runs_.size());
  for (Run run : runs_) {
    run.mark.generation = true;
    if (!runs.empty() && runs.back().mark == run.mark) {
      runs.back().end = run.end;
    } else {
      runs.push_back(run);
    }
  }
  runs_ = std::move(runs);
}

}  // namespace inlay::chat
