#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "check/parts.h"
#include "data/duplicates.h"

namespace inlay {
namespace {

constexpr double kMuchTruncated = 0.1;
constexpr double kRareClass = 0.02;
constexpr std::size_t kShown = 3;
constexpr std::size_t kGram = 13;  // words in a row that tell a copied passage

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t space = std::min(text.find(' ', at), text.size());
    if (space > at) words.push_back(text.substr(at, space - at));
    at = space + 1;
  }
  return words;
}

// Calls `visit` with every run of kGram words.
template <class Visit>
void for_each_gram(const std::string& text, const Visit& visit) {
  std::vector<std::string_view> words = words_of(text);
  for (std::size_t i = 0; i + kGram <= words.size(); ++i) {
    const char* begin = words[i].data();
    const char* end = words[i + kGram - 1].data() + words[i + kGram - 1].size();
    if (visit(std::string_view(begin, static_cast<std::size_t>(end - begin)))) return;
  }
}

// Test examples that share a run of 13 words with a training example without being the same text.
std::vector<std::size_t> copied_passages(const CheckSubject& subject) {
  std::set<std::size_t> trained;
  std::hash<std::string_view> hash;
  for (std::size_t index : subject.train_indices) {
    for_each_gram(folded(subject.data.examples[index].text), [&](std::string_view gram) {
      trained.insert(hash(gram));
      return false;
    });
  }
  std::vector<std::size_t> found;
  for (std::size_t index : subject.test_indices) {
    for_each_gram(folded(subject.data.examples[index].text), [&](std::string_view gram) {
      bool known = trained.contains(hash(gram));
      if (known) found.push_back(index);
      return known;
    });
  }
  return found;
}

void duplicates(const CheckSubject& subject, Findings& findings) {
  Duplicates same = find_duplicates(subject.data, subject.train_indices, subject.test_indices);
  Json first = Json::array();
  for (const Duplicates::Pair& pair : same.first) first.push_back(pair.describe(subject.data));
  std::vector<std::size_t> copied = copied_passages(subject);
  Json passages = Json::array();
  for (std::size_t i = 0; i < std::min(kShown, copied.size()); ++i)
    passages.push_back(subject.data.place(copied[i]));
  Severity severity = same.count > 0 || !copied.empty() ? Severity::kWarning : Severity::kInfo;
  findings.push_back(
      {"C-7",
       severity,
       fmt::format("{} test texts also stand in the training part; {} share a run of {} words with "
                   "one of it{}",
                   same.count, copied.size(), kGram,
                   first.empty() ? "" : fmt::format("; such as {}", first[0].get<std::string>())),
       {{"same", same.count}, {"first", first}, {"passages", copied.size()}, {"at", passages}}});
}

void truncation(const CheckSubject& subject, Findings& findings) {
  auto all = static_cast<double>(std::max<std::size_t>(1, subject.data.examples.size()));
  double share = static_cast<double>(subject.truncated) / all;
  Json first = Json::array();
  for (const EncodedExample* example : subject.train) {
    if (example->truncated && first.size() < kShown)
      first.push_back(subject.data.place(example->index));
  }
  findings.push_back({"C-7",
                      share > kMuchTruncated ? Severity::kWarning : Severity::kInfo,
                      fmt::format("{} of {} examples are cut to the longest input ({:.1f} %)",
                                  subject.truncated, subject.data.examples.size(), 100 * share),
                      {{"truncated", subject.truncated}, {"share", share}, {"first", first}}});
}

// Examples without anything to learn from.
void masked(const CheckSubject& subject, Findings& findings) {
  Json first = Json::array();
  std::size_t count = 0;
  for (const EncodedExample* example : subject.train) {
    bool tagged = !example->token_tags.empty();
    bool none = tagged && std::all_of(example->token_tags.begin(), example->token_tags.end(),
                                      [](int32_t tag) { return tag < 0; });
    if (!none) continue;
    ++count;
    if (first.size() < kShown) first.push_back(subject.data.place(example->index));
  }
  findings.push_back({"C-7",
                      count > 0 ? Severity::kWarning : Severity::kInfo,
                      fmt::format("{} training examples have no label that counts{}", count,
                                  count > 0 ? "; such as " + first[0].get<std::string>() : ""),
                      {{"count", count}, {"first", first}}});
}

// C-6 and the balance of C-7.
void classes(const CheckSubject& subject, Findings& findings) {
  const std::vector<std::string>& names = subject.data.classes;
  if (names.empty()) {
    findings.push_back({"C-6", Severity::kInfo, "no classes: the outputs are numbers or tokens"});
    return;
  }
  std::vector<std::size_t> counts(names.size());
  std::size_t labelled = 0, outside = 0;
  for (const EncodedExample* example : subject.train) {
    auto count = [&](int32_t id) {
      bool known = id >= 0 && static_cast<std::size_t>(id) < counts.size();
      ++labelled;
      if (known) ++counts[static_cast<std::size_t>(id)];
      if (!known) ++outside;
    };
    const Example& source = *example->source;
    if (source.class_id >= 0) count(source.class_id);
    for (int32_t id : source.class_ids) count(id);
    for (int32_t id : source.tag_ids) count(id);
    for (const ObjectBox& box : source.boxes) count(box.class_id);
  }
  Json shares = Json::object();
  std::string rare;
  for (std::size_t i = 0; i < names.size(); ++i) {
    shares[names[i]] = counts[i];
    bool few = static_cast<double>(counts[i]) < kRareClass * static_cast<double>(labelled);
    if (few) rare += fmt::format("{}{} ({})", rare.empty() ? "" : ", ", names[i], counts[i]);
  }
  findings.push_back(
      {"C-6",
       outside > 0 ? Severity::kError : Severity::kInfo,
       fmt::format("{} classes, ids 0 to {}, {} labels outside them; the head is new "
                   "and is saved with the adapter",
                   names.size(), names.size() - 1, outside),
       {{"classes", names}, {"outside", outside}}});
  findings.push_back(
      {"C-7",
       rare.empty() ? Severity::kInfo : Severity::kWarning,
       rare.empty() ? "no class is rare" : fmt::format("rare in the training part: {}", rare),
       {{"counts", shares}}});
}

}  // namespace

void check_data(const CheckSubject& subject, Findings& findings) {
  classes(subject, findings);
  truncation(subject, findings);
  masked(subject, findings);
  duplicates(subject, findings);
}

}  // namespace inlay
