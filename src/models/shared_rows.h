// Several adapters in one pass over one base: each answers examples of its own, or the same ones as
// others. Every product of the base takes all rows together; and rows of the same examples are
// computed once for all their adapters up to the first stage (embeddings, then each layer) that one
// of these changes. From there on that one has rows of its own:
//
//                   embeddings   layer 0   layer 1   layer 2
//   drop(a, 0)                             a . . . . . . . .
//   drop(b, 0, 1)   ===================    = = = =   b . . .
//   a head alone                                     = = = =
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "models/token_batch.h"
#include "nn/context.h"

namespace inlay {

// Adapters, applied in order, and the examples that they answer. Equal batches are one object.
struct AdaptedBatch {
  std::vector<ActiveAdapter> adapters;  // none: the base as it is
  const TokenBatch* batch = nullptr;
};

// Rows times layers: what was computed, and what would be with one pass for each adapter.
struct SharedWork {
  int64_t computed = 0, alone = 0;
};

class SharedRows {
 public:
  using Sites = std::span<const Site* const>;

  // Takes the context's adapters and segments; both are empty after finish(). `asked` must outlive
  // this.
  SharedRows(Context& context, std::span<const AdaptedBatch> asked);

  // What `embed` gives for every batch, with its adapters active, end to end. `sites` are those
  // that it runs.
  Variable start(Sites sites, const std::function<Variable(const TokenBatch&)>& embed);
  // Before each layer: x with more rows where adapters change these sites for the first time, and
  // the context's segments for them.
  Variable enter(Sites sites, Variable x);
  // The rows of each of `asked`; one Variable for those that never parted.
  std::vector<Variable> finish(const Variable& x);

  const SharedWork& work() const { return work_; }

 private:
  // Of `asked`, those whose rows are the same so far, and what these rows stand for.
  struct Group {
    std::vector<std::size_t> members;
    const RowSpace* rows = nullptr;
    std::size_t parent = 0;  // the group that it was part of
  };

  bool changes(std::size_t member, Sites sites) const;
  std::vector<Group> parted(Sites sites) const;
  // A group of several has no adapter at any site so far.
  std::vector<ActiveAdapter> adapters_of(const Group& group) const;
  std::vector<Variable> rows_of_groups(const Variable& x);
  Variable joined(std::vector<Variable> parts);
  void activate();

  Context& context_;
  std::span<const AdaptedBatch> asked_;
  std::vector<Group> groups_;
  SharedWork work_;
};

}  // namespace inlay
