#include "text/bpe_merges.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <utility>

namespace inlay::text {
namespace {

// Below this many symbols a plain search for the best rule is faster than a queue.
constexpr std::size_t kShortWord = 24;
constexpr int32_t kNoRule = std::numeric_limits<int32_t>::max();

std::pair<std::string, std::string> read_pair(const Json& value, const std::string& place) {
  if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string()) {
    return {value[0].get<std::string>(), value[1].get<std::string>()};
  }
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  fail(ErrorKind::kInput, "{}: {} is not a merge; expected \"a b\" or [\"a\", \"b\"]", place,
       value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60));
}

int32_t id_of(const std::string& token, const Vocabulary& vocabulary, const std::string& place) {
  const std::optional<int32_t> id = vocabulary.id(token);
  require(id.has_value(), ErrorKind::kInput,
          "{}: \"{}\" is merged or made but is not in the vocabulary", place, token.substr(0, 60));
  return *id;
}

}  // namespace

BpeMerges::BpeMerges(const Component& model, const Vocabulary& vocabulary,
                     const std::string& prefix) {
  const auto found = model.json().find("merges");
  require(found != model.json().end() && found->is_array(), ErrorKind::kInput,
          "{}: \"merges\" is missing or not a list", model.place());
  for (std::size_t i = 0; i < found->size(); ++i) {
    const Json& value = (*found)[i];
    if (value.is_string() && value.get_ref<const std::string&>().starts_with("#version")) continue;
    const std::string place = fmt::format("{}.merges[{}]", model.place(), i);
    const auto [left, right] = read_pair(value, place);
    const std::size_t dropped = std::min(prefix.size(), right.size());
    const auto left_id = static_cast<uint32_t>(id_of(left, vocabulary, place));
    const auto right_id = static_cast<uint32_t>(id_of(right, vocabulary, place));
    rules_[uint64_t{left_id} << 32 | right_id] = {
        static_cast<int32_t>(i), id_of(left + right.substr(dropped), vocabulary, place)};
  }
}

void BpeMerges::apply(std::vector<Symbol>& symbols, const TokenSet& reserved) const {
  symbols.size() <= kShortWord ? apply_short(symbols, reserved) : apply_long(symbols, reserved);
}

void BpeMerges::apply_short(std::vector<Symbol>& symbols, const TokenSet& reserved) const {
  Rule rules[kShortWord];  // rules[i] merges symbols i and i + 1
  auto look_up = [&](std::size_t i) {
    const Rule* rule =
        i + 1 < symbols.size() ? find(symbols[i].id, symbols[i + 1].id, reserved) : nullptr;
    rules[i] = rule == nullptr ? Rule{kNoRule, 0} : *rule;
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) look_up(i);
  while (symbols.size() > 1) {
    const Rule* best =
        std::min_element(rules, rules + symbols.size(),
                         [](const Rule& a, const Rule& b) { return a.rank < b.rank; });
    if (best->rank == kNoRule) return;
    const auto i = static_cast<std::size_t>(best - rules);
    symbols[i] = {best->merged, symbols[i].length + symbols[i + 1].length};
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    std::copy(rules + i + 2, rules + symbols.size() + 1, rules + i + 1);
    if (i > 0) look_up(i - 1);
    look_up(i);
  }
}

struct BpeMerges::Candidate {
  int32_t rank;
  uint32_t left;
  int32_t merged;
  bool operator>(const Candidate& other) const {
    return std::pair(rank, left) > std::pair(other.rank, other.left);
  }
};

// Symbols as a linked list, and the rules that fit somewhere in a queue. Entries that no longer fit
// are met and skipped.
class BpeMerges::Queue {
 public:
  Queue(const BpeMerges& merges, std::vector<Symbol>& symbols, const TokenSet& reserved)
      : merges_(merges),
        symbols_(symbols),
        reserved_(reserved),
        next_(symbols.size()),
        previous_(symbols.size()) {
    for (uint32_t i = 0; i < symbols.size(); ++i) {
      next_[i] = i + 1;
      previous_[i] = i - 1;
    }
    for (uint32_t i = 0; i + 1 < symbols.size(); ++i) offer(i);
  }

  void run() {
    while (!candidates_.empty()) {
      const Candidate candidate = candidates_.top();
      candidates_.pop();
      merge(candidate);
    }
  }

 private:
  void offer(uint32_t left) {
    if (next_[left] >= symbols_.size()) return;
    const Rule* rule = merges_.find(symbols_[left].id, symbols_[next_[left]].id, reserved_);
    if (rule != nullptr) candidates_.push({rule->rank, left, rule->merged});
  }

  void merge(const Candidate& candidate) {
    const uint32_t left = candidate.left;
    const uint32_t right = next_[left];
    if (symbols_[left].length == 0 || right >= symbols_.size()) return;
    const Rule* rule = merges_.find(symbols_[left].id, symbols_[right].id, reserved_);
    if (rule == nullptr || rule->merged != candidate.merged) return;
    symbols_[left] = {candidate.merged, symbols_[left].length + symbols_[right].length};
    symbols_[right].length = 0;
    next_[left] = next_[right];
    if (next_[left] < symbols_.size()) previous_[next_[left]] = left;
    if (left > 0) offer(previous_[left]);
    offer(left);
  }

  const BpeMerges& merges_;
  std::vector<Symbol>& symbols_;
  const TokenSet& reserved_;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> previous_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

void BpeMerges::apply_long(std::vector<Symbol>& symbols, const TokenSet& reserved) const {
  Queue(*this, symbols, reserved).run();
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

}  // namespace inlay::text
