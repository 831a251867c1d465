// What the layers below everything that is trained make of an example is the same in every epoch.
// It is computed once and kept, so that later epochs begin where training begins; what comes of it
// is bitwise what the whole pass gives.
//
//   learner.prefix = frozen_prefix(learner, train, validation, {room, run_folder});
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <unordered_map>

#include "base/scratch_pages.h"
#include "eval/learner.h"

namespace inlay {

// How much of a base comes before the first site that is changed.
struct PrefixPlace {
  int64_t layers = 0;  // 0: nothing that is worth keeping
  bool whole = false;  // all that Model::encode() does

  bool any() const { return whole || layers > 0; }
};

// Of what the learner's adapter leaves as it is; none for a head that reads several layers.
PrefixPlace prefix_place(const Learner& learner);
// Whether the task shows these examples otherwise in every epoch.
bool poses_anew(const Task& task, ExampleSpan examples);

// What is kept may be this large where it does not fit into memory.
inline constexpr uint64_t kMostPrefixFile = uint64_t{16} << 30;

// At most `memory` bytes are kept in memory; more are kept in a file in `folder` while it is open,
// and more than kMostPrefixFile not at all.
struct PrefixRoom {
  uint64_t memory = 0;
  std::filesystem::path folder;
};

class FrozenPrefix {
 public:
  // Of these examples, which must outlive it, and which are known by their addresses. REQUIRES:
  // place.any().
  FrozenPrefix(PrefixPlace place, ExampleSpan examples, PrefixRoom room);

  // Whether the example need not be read any more.
  bool knows(const EncodedExample& example) const;
  // make_example_batch(), without pixels where all of the examples are known.
  TokenBatch batch(ExampleSpan examples, const BatchPlace& place) const;
  // Model::encode() of such a batch, with the active adapter changing nothing below the place.
  Variable encode(Context& context, const Model& model, ExampleSpan examples,
                  const TokenBatch& batch);

  // False once there turned out to be too much of it, or no room.
  bool keeps() const { return !refused_; }
  // Bytes that all examples together take; 0 before the first batch.
  uint64_t bytes() const { return pages_.bytes().size(); }

 private:
  struct Slot {
    std::size_t first = 0, count = 0;  // bytes; none before it is known
  };

  bool know_all(ExampleSpan examples) const;
  Variable first_part(Context& context, const Model& model, const TokenBatch& batch) const;
  Variable kept(Context& context, ExampleSpan examples, const TokenBatch& batch) const;
  void keep(ExampleSpan examples, const Variable& hidden);
  // Takes room for all examples, as large as the first ones show. False: it is too much.
  bool take_room(const Variable& hidden);
  void take_pages(uint64_t bytes);

  PrefixPlace place_;
  std::unordered_map<const EncodedExample*, Slot> slots_;  // only ever looked up
  int64_t tokens_ = 0, sequences_ = 0;                     // of all examples
  PrefixRoom room_;
  ScratchPages pages_;
  std::size_t taken_ = 0;
  bool refused_ = false;
  // Of what is kept.
  int64_t channels_ = 0, before_map_ = 0;
  MapSize map_;
  DType dtype_ = DType::kF32;
};

// For the examples that a training sees in every epoch; null where nothing can be kept.
std::shared_ptr<FrozenPrefix> frozen_prefix(const Learner& learner, ExampleSpan train,
                                            ExampleSpan validation, const PrefixRoom& room);

}  // namespace inlay
