#include "data/chat/turn_extents.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace inlay {
namespace {

constexpr std::string_view kThoughtEnd = "</think>";

// A stretch of the text that one message said, whatever the template wrote within it.
struct Run {
  std::size_t begin = 0;
  std::size_t end = 0;
  int message = Span::kTemplate;
};

bool is_spoken(const Span& span) { return span.message >= 0 && !span.role; }

std::vector<Run> spoken_runs(const std::vector<Span>& spans) {
  std::vector<Run> runs;
  bool open = false;
  for (const Span& span : spans) {
    if (!span.is_input()) continue;
    bool continues = open && span.message == runs.back().message;
    if (continues && is_spoken(span)) runs.back().end = span.end;
    if (!continues && is_spoken(span)) runs.push_back({span.begin, span.end, span.message});
    open = continues || is_spoken(span);
  }
  return runs;
}

std::vector<Run> generated_runs(const std::vector<Span>& spans) {
  std::vector<Run> runs;
  for (const Span& span : spans) {
    if (!span.generation) continue;
    bool continues = !runs.empty() && runs.back().end == span.begin;
    if (!continues) runs.push_back({span.begin, span.end, Span::kTemplate});
    runs.back().end = span.end;
    if (runs.back().message < 0 && is_spoken(span)) runs.back().message = span.message;
  }
  return runs;
}

// The first span that does not begin before `byte`.
std::vector<Span>::const_iterator span_at(const std::vector<Span>& spans, std::size_t byte) {
  return std::lower_bound(spans.begin(), spans.end(), byte,
                          [](const Span& span, std::size_t at) { return span.begin < at; });
}

// Behind the last character before `byte` that came from outside, roles apart; 0 without one.
// REQUIRES: a span begins or the text ends there.
std::size_t last_spoken(const std::vector<Span>& spans, std::size_t byte) {
  for (auto span = span_at(spans, byte); span != spans.begin();) {
    --span;
    if (span->is_input() && !span->role) return span->end;
  }
  return 0;
}

class TurnFinder {
 public:
  TurnFinder(const Rendered& rendered, const Conversation& conversation,
             const ModelChatTemplate& chat_template, const RenderOptions& options, SpokenBy by)
      : rendered_(rendered),
        conversation_(conversation),
        chat_template_(chat_template),
        options_(options),
        by_(by) {}

  std::vector<TurnExtent> find() {
    std::vector<TurnExtent> extents;
    int before = Span::kTemplate;
    for (const Run& run : runs()) {
      bool first = run.message != before;
      before = run.message;
      if (!is_wanted(run)) continue;
      TurnExtent extent{.begin = run.begin, .end = run.end, .tail_end = tail_end(run.end)};
      extent.framed = is_framed(run);
      if (extent.framed && first) extent.begin = framed_begin(run);
      extents.push_back(extent);
    }
    return extents;
  }

 private:
  const OrderedJson& message(const Run& run) const {
    return conversation_.messages[static_cast<std::size_t>(run.message)];
  }

  bool is_assistant(const Run& run) const {
    return run.message < 0 || message(run)["role"] == "assistant";
  }

  std::vector<Run> runs() const {
    std::vector<Run> spoken = spoken_runs(rendered_.spans);
    if (!rendered_.has_generation) return spoken;
    std::vector<Run> result = generated_runs(rendered_.spans);
    for (const Run& run : spoken) {
      if (!is_assistant(run)) result.push_back(run);
    }
    std::sort(result.begin(), result.end(),
              [](const Run& a, const Run& b) { return a.begin < b.begin; });
    return result;
  }

  bool is_wanted(const Run& run) const {
    bool by_default = by_ == SpokenBy::kAssistant && is_assistant(run);
    if (run.message < 0 || conversation_.trained.empty()) return by_default;
    return conversation_.trained[static_cast<std::size_t>(run.message)].value_or(by_default);
  }

  bool is_framed(const Run& run) const {
    if (run.message < 0 || rendered_.has_generation) return false;
    const OrderedJson& said = message(run);
    return is_assistant(run) &&
           (said.contains("tool_calls") || said.contains("reasoning_content") ||
            said.contains("thinking") || is_thought_taken_out(run));
  }

  // Whether the content holds a thought whose signs the template took out, to write its own.
  bool is_thought_taken_out(const Run& run) const {
    auto content = message(run).find("content");
    if (content == message(run).end() || !content->is_string()) return false;
    if (content->get_ref<const std::string&>().find(kThoughtEnd) == std::string::npos) return false;
    std::string_view text(rendered_.text);
    auto holds_end = [&](const Span& span) {
      std::string_view words = text.substr(span.begin, span.end - span.begin);
      return is_spoken(span) && words.find(kThoughtEnd) != words.npos;
    };
    return std::none_of(span_at(rendered_.spans, run.begin), span_at(rendered_.spans, run.end),
                        holds_end);
  }

  // Up to the next character from outside; a role counts.
  std::size_t tail_end(std::size_t end) const {
    auto after = span_at(rendered_.spans, end);
    while (after != rendered_.spans.end() && !after->is_input()) ++after;
    return after == rendered_.spans.end() ? rendered_.text.size() : after->begin;
  }

  std::size_t framed_begin(const Run& run) {
    if (run.message == 0) return run.begin;
    std::size_t begin = last_spoken(rendered_.spans, run.begin);
    const std::string& opening = opening_after(static_cast<std::size_t>(run.message) - 1);
    std::string_view between = std::string_view(rendered_.text).substr(begin, run.begin - begin);
    bool opens = !opening.empty() && between.starts_with(opening);
    return opens ? begin + opening.size() : run.begin;
  }

  // What the template writes behind such a message when the assistant is to speak; the same behind
  // every message of a role, so that a long conversation is not rendered once for every turn.
  const std::string& opening_after(std::size_t index) {
    auto role = conversation_.messages[index]["role"].get<std::string>();
    auto [found, added] = openings_.try_emplace(role);
    if (added) found->second = render_opening(index);
    return found->second;
  }

  std::string render_opening(std::size_t index) const {
    OrderedJson before(conversation_.messages.begin(),
                       conversation_.messages.begin() + static_cast<std::ptrdiff_t>(index) + 1);
    RenderOptions asking = options_;
    asking.add_generation_prompt = true;
    try {
      Rendered prompt = chat_template_.render(before, asking);
      return prompt.text.substr(last_spoken(prompt.spans, prompt.text.size()));
    } catch (const Error&) {
      // Templates may refuse a conversation that stops here; then the turn is its words alone.
      return "";
    }
  }

  const Rendered& rendered_;
  const Conversation& conversation_;
  const ModelChatTemplate& chat_template_;
  const RenderOptions& options_;
  SpokenBy by_;
  std::map<std::string, std::string> openings_;
};

}  // namespace

std::vector<TurnExtent> turn_extents(const Rendered& rendered, const Conversation& conversation,
                                     const ModelChatTemplate& chat_template,
                                     const RenderOptions& options, SpokenBy by_default) {
  return TurnFinder(rendered, conversation, chat_template, options, by_default).find();
}

}  // namespace inlay
