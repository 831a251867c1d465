#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/files.h"
#include "base/units.h"
#include "check/parts.h"
#include "eval/batch_pass.h"

namespace inlay {
namespace {

// What the kernel says can be had without swapping, in bytes.
uint64_t available_bytes() {
  auto pages = static_cast<uint64_t>(std::max<long>(0, ::sysconf(_SC_AVPHYS_PAGES)));
  auto size = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  std::string text = read_file("/proc/meminfo");
  std::size_t at = text.find("MemAvailable:");
  if (at == std::string::npos) return pages * size;
  return std::stoull(text.substr(at + 13)) * 1024;
}

// What runs took beside all this, 3 to 11 MB with MiniLM: they compile kernels for batches of many
// lengths, where the probe has two, and keep what evaluation gives.
constexpr uint64_t kFurther = 6u << 20;

// Of embedding tables, whose pages come in as their tokens do: a few in the probe, nearly all in an
// epoch.
uint64_t table_bytes(const BaseFacts& base) {
  uint64_t bytes = 0;
  for (const Site* site : base.sites) {
    if (site->kind == SiteKind::kEmbedding) bytes += site->weight.byte_count();
  }
  return bytes;
}

// The tokens of the heaviest micro-batch that training will draw: its order is known.
int64_t most_tokens(const CheckSubject& subject) {
  int64_t most = 0;
  for (int64_t epoch = 0; epoch < subject.epochs; ++epoch) {
    for (const auto& batch : batches_of_epoch(subject.train, subject.plan, epoch)) {
      int64_t tokens = 0;
      for (const EncodedExample* example : batch) tokens += example->token_count();
      most = std::max(most, tokens);
    }
  }
  return std::min(most, kMicroBatchTokens);
}

}  // namespace

void check_memory(const CheckSubject& subject, const ProbeCost& cost, Findings& findings) {
  int64_t tokens = std::max(cost.tokens, most_tokens(subject));
  auto activations =
      cost.activation_bytes +
      static_cast<uint64_t>(cost.bytes_per_token * static_cast<double>(tokens - cost.tokens));
  // Two moments and the best values; gradients are among the activations.
  uint64_t training = 3 * cost.trained_bytes;
  uint64_t fixed = cost.resident_bytes - std::min(cost.resident_bytes, cost.activation_bytes);
  fixed += table_bytes(subject.model.facts()) + kFurther;
  uint64_t whole = fixed + activations + training;
  uint64_t limit =
      subject.memory_limit > 0 ? subject.memory_limit : available_bytes() + cost.resident_bytes;
  struct Part {
    const char* name;
    uint64_t bytes;
    const char* lever;
  };
  Part parts[] = {{"base, tokenizer, data, program", fixed, "a smaller base, or bf16 weights"},
                  {"activations of a step", activations, "a smaller micro_batch or max_length"},
                  {"optimizer and best values", training, "a method that trains less"}};
  const Part& largest =
      *std::max_element(std::begin(parts), std::end(parts),
                        [](const Part& a, const Part& b) { return a.bytes < b.bytes; });
  Json breakdown = Json::object();
  std::string list;
  for (const Part& part : parts) {
    breakdown[part.name] = part.bytes;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", format_bytes(part.bytes), part.name);
  }
  bool fits = whole <= limit;
  std::string text =
      fmt::format("about {} ({}) of {}", format_bytes(whole), list, format_bytes(limit));
  if (!fits) text += fmt::format("; the largest lever: {}", largest.lever);
  findings.push_back({"C-8",
                      fits ? Severity::kInfo : Severity::kError,
                      text,
                      {{"forecast_bytes", whole},
                       {"limit_bytes", limit},
                       {"parts", breakdown},
                       {"tokens", tokens},
                       {"lever", largest.lever}}});
}

}  // namespace inlay
