// Precision, recall and F1 of whole entities in tagged sequences: a predicted entity counts when
// type, first and last word all agree. The default rules of seqeval (those of the CoNLL-2000
// script), which are lenient: any sequence of tags has a reading, and the B/I (IOB1, IOB2) and
// B/I/E/S (IOBES) schemes are read by the same rules.
//
// Tags are "O" or PREFIX-TYPE with B, I, E or S. Reading word by word:
// - an entity ends after E and S, before B, S and O, and where the type changes;
// - an entity begins at B and S, where the type changes, and at I or E after O, E, S or the
// sequence's start. So a stray I-PER begins an entity, and B-PER I-LOC is two. A bare prefix ("B")
// has the type "_".
//
// Plain tags (no name in the list has a prefix, as in part-of-speech tags): an entity is a longest
// run of one tag, and O is outside. A list that mixes both, or has another prefix such as BILOU's
// L- or U-, is an Error.
//
//   EntityScores scores = entity_scores(data.classes, truth, predicted);
//   scores.total.f1(), scores.types[0], scores.by_type[0].recall()
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/metrics/classification.h"

namespace inlay {

struct Entity {
  std::size_t type;  // index into TagScheme::types()
  std::size_t first, last;
  // NOLINTNEXTLINE(modernize-use-nullptr): the linter misreads a defaulted comparison
  friend auto operator<=>(const Entity&, const Entity&) = default;
};

// The tags of a data set, taken apart once.
class TagScheme {
 public:
  explicit TagScheme(std::span<const std::string> names);
  const std::vector<std::string>& types() const { return types_; }  // sorted bytewise
  // The entities of one sequence, in order.
  std::vector<Entity> entities(std::span<const std::int32_t> tags) const;

 private:
  struct Tag {
    char prefix;  // B I E S O
    std::size_t type;
  };
  std::vector<Tag> tags_;
  std::vector<std::string> types_;
};

struct EntityScores {
  PrecisionRecall total;  // micro: counts over all types
  std::vector<std::string> types;
  std::vector<PrecisionRecall> by_type;  // macro_average(by_type) is their plain mean
};

// REQUIRES: equally long sequences of valid tag ids.
EntityScores entity_scores(std::span<const std::string> tag_names,
                           std::span<const std::vector<std::int32_t>> truth,
                           std::span<const std::vector<std::int32_t>> predicted);

}  // namespace inlay
