#include "eval/metrics/entities.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "base/error.h"

namespace inlay {
namespace {

constexpr std::string_view kPrefixes = "BIES";

bool has_prefix(std::string_view name) {
  return name.size() >= 2 && name[1] == '-' && name[0] >= 'A' && name[0] <= 'Z';
}

bool is_bare(std::string_view name) {
  return name.size() == 1 && kPrefixes.find(name[0]) != kPrefixes.npos;
}

// The type within a prefixed name; the name itself when names are plain.
std::string type_of(std::string_view name, bool plain) {
  if (plain) return std::string(name);
  return name.size() > 2 ? std::string(name.substr(2)) : "_";
}

// Plain when no tag but O has a prefix. A lone letter is a prefix only beside tags that have one.
bool is_plain(std::span<const std::string> names) {
  std::size_t prefixed = 0, plain = 0;
  for (const std::string& name : names) {
    if (name == "O" || is_bare(name)) continue;
    ++(has_prefix(name) ? prefixed : plain);
    require(!has_prefix(name) || kPrefixes.find(name[0]) != kPrefixes.npos, ErrorKind::kInput,
            "tag \"{}\": unknown prefix; expected O, B-, I-, E- or S-", name);
    require(prefixed == 0 || plain == 0, ErrorKind::kInput,
            "tag \"{}\": tags with and without a prefix are mixed; expected either \"B-TYPE\" tags "
            "or plain ones",
            name);
  }
  return plain > 0;
}

}  // namespace

TagScheme::TagScheme(std::span<const std::string> names) {
  bool plain = is_plain(names);
  std::set<std::string> types;
  for (const std::string& name : names) {
    if (name != "O") types.insert(type_of(name, plain));
  }
  types_.assign(types.begin(), types.end());
  for (const std::string& name : names) {
    if (name == "O") {
      tags_.push_back({'O', types_.size()});
      continue;
    }
    auto type =
        std::lower_bound(types_.begin(), types_.end(), type_of(name, plain)) - types_.begin();
    tags_.push_back({plain ? 'I' : name[0], static_cast<std::size_t>(type)});
  }
}

std::vector<Entity> TagScheme::entities(std::span<const std::int32_t> tags) const {
  std::vector<Entity> found;
  Tag before{'O', types_.size()};
  for (std::size_t i = 0; i < tags.size(); ++i) {
    auto id = static_cast<std::size_t>(tags[i]);
    ensure(id < tags_.size(), "tag {} of word {}, but there are {}", tags[i], i, tags_.size());
    Tag tag = tags_[id];
    bool closed = before.prefix == 'O' || before.prefix == 'E' || before.prefix == 'S';
    bool begins = closed || tag.prefix == 'B' || tag.prefix == 'S' || tag.type != before.type;
    if (tag.prefix != 'O' && begins) found.push_back({.type = tag.type, .first = i, .last = i});
    if (tag.prefix != 'O' && !begins) found.back().last = i;
    before = tag;
  }
  return found;
}

EntityScores entity_scores(std::span<const std::string> tag_names,
                           std::span<const std::vector<std::int32_t>> truth,
                           std::span<const std::vector<std::int32_t>> predicted) {
  ensure(truth.size() == predicted.size(), "{} sequences, {} predicted", truth.size(),
         predicted.size());
  TagScheme scheme(tag_names);
  EntityScores scores{.total = {},
                      .types = scheme.types(),
                      .by_type = std::vector<PrecisionRecall>(scheme.types().size())};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ensure(truth[i].size() == predicted[i].size(), "sequence {} has {} tags, {} predicted", i,
           truth[i].size(), predicted[i].size());
    std::vector<Entity> real = scheme.entities(truth[i]), guessed = scheme.entities(predicted[i]),
                        hits;
    std::sort(real.begin(), real.end());
    std::sort(guessed.begin(), guessed.end());
    std::set_intersection(real.begin(), real.end(), guessed.begin(), guessed.end(),
                          std::back_inserter(hits));
    for (const Entity& entity : real) ++scores.by_type[entity.type].support;
    for (const Entity& entity : guessed) ++scores.by_type[entity.type].predicted;
    for (const Entity& entity : hits) ++scores.by_type[entity.type].hits;
  }
  scores.total = micro_total(scores.by_type);
  return scores;
}

}  // namespace inlay
