#include "text/bpe_merges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "base/random.h"

namespace inlay::text {
namespace {

// All strings of a and b up to four letters; the rules join their halves in an order of no pattern.
struct Fixture {
  Fixture() {
    std::vector<std::string> words = {"a", "b"};
    for (std::size_t i = 0; i < words.size() && words[i].size() < 4; ++i) {
      words.push_back(words[i] + "a");
      words.push_back(words[i] + "b");
    }
    for (std::size_t i = 0; i < words.size(); ++i)
      vocabulary.add(words[i], static_cast<int32_t>(i), "test");
    std::vector<std::string> rules;
    for (const std::string& word : words) {
      for (std::size_t cut = 1; cut < word.size(); ++cut) {
        rules.push_back(word.substr(0, cut) + " " + word.substr(cut));
      }
    }
    for (std::size_t i : shuffled(rules.size(), Stream(1, "rules")))
      json["merges"].push_back(rules[i]);
  }
  Json json = {{"merges", Json::array()}};
  Vocabulary vocabulary;
};

// The definition: again and again the leftmost place of the best rule.
std::vector<int32_t> merge_plainly(const Fixture& fixture, std::string_view word) {
  std::vector<std::string> parts;
  for (char c : word) parts.emplace_back(1, c);
  for (bool merged = true; merged;) {
    merged = false;
    for (const Json& rule : fixture.json["merges"]) {
      const auto text = rule.get<std::string>();
      for (std::size_t i = 0; i + 1 < parts.size() && !merged; ++i) {
        if (parts[i] + " " + parts[i + 1] != text) continue;
        parts[i] += parts[i + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        merged = true;
      }
      if (merged) break;
    }
  }
  std::vector<int32_t> ids;
  for (const std::string& part : parts) ids.push_back(*fixture.vocabulary.id(part));
  return ids;
}

TEST(BpeMerges, AppliesTheRulesInOrderToWordsShortAndLong) {
  const Fixture fixture;
  const BpeMerges merges(Component(fixture.json, "model"), fixture.vocabulary, "");
  const Stream stream(7, "words");
  for (uint64_t length = 1; length < 80; ++length) {
    std::string word;
    for (uint64_t i = 0; i < length; ++i)
      word += stream.below(2, length * 100 + i) == 0 ? 'a' : 'b';
    std::vector<Symbol> symbols;
    for (char c : word) symbols.push_back({c - 'a', 1});
    merges.apply(symbols, {});
    std::vector<int32_t> ids;
    std::size_t covered = 0;
    for (const Symbol& symbol : symbols) {
      ids.push_back(symbol.id);
      covered += symbol.length;
    }
    EXPECT_EQ(ids, merge_plainly(fixture, word)) << word;
    EXPECT_EQ(covered, word.size());
  }
}

}  // namespace
}  // namespace inlay::text
