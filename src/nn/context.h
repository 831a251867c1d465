// All that changes while a base runs: memory and tape, which adapters are active on which examples
// with which gates, and who listens. The base itself is immutable and shared; any number of
// contexts may run over it.
#pragma once

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "autograd/op_context.h"
#include "nn/site.h"

namespace inlay {

// An adapter in use, with its gates: y(gamma) = base(x) + gamma (adapted(x) - base(x)). Gamma 0
// skips the adapter at a site and is bitwise the base; gamma 1 is bitwise the plain adapted
// forward.
struct ActiveAdapter {
  SiteHooks* hooks = nullptr;
  float gate = 1.0f;                        // at every site ...
  std::map<std::size_t, float> site_gates;  // ... but these

  float gate_at(std::size_t site_index) const {
    auto found = site_gates.find(site_index);
    return found == site_gates.end() ? gate : found->second;
  }
};

// The adapters of a run of examples, applied in order.
struct Segment {
  int64_t first_example = 0;
  int64_t last_example = 0;
  std::vector<ActiveAdapter> adapters;
};

// Sees the value that each site gives, after adapters.
class Tap {
 public:
  virtual ~Tap() = default;
  virtual void see(const Site& site, const Variable& value) = 0;
  // Sees the weights (rows, adapters) with which a fusion mixes adapters.
  virtual void mixture(const Site& /*site*/, const Tensor& /*weights*/) {}
};

struct Context : OpContext {
  using OpContext::OpContext;

  // Called once per forward pass of a batch, before the first op.
  void begin_forward();
  // The rows of examples [first, last) as a space of their own, alive until the first forward pass
  // that begins with an empty tape. REQUIRES: both are ends of gradient chunks.
  const RowSpace* part_of(const RowSpace& space, int64_t first_example, int64_t last_example);

  // `count` virtual rows for each example of `space`, and that space with them set before its row
  // `at` of every example, their score as keys changed by `key_bias`. They live as long as parts.
  const RowSpace* virtual_rows(const RowSpace& space, int64_t count);
  const RowSpace* grown(const RowSpace& space, int64_t count, int64_t at, float key_bias);
  // The spaces of these values end to end, each ending a chunk.
  const RowSpace* joined(const std::vector<Variable>& parts);
  // The space of the same examples with maps of another size; `space` itself where they have it.
  const RowSpace* map_space(const RowSpace* space, MapSize map);
  // A space of rows that a hook made, alive as long as parts are.
  const RowSpace* keep(RowSpace space) { return &parts_.emplace_back(std::move(space)); }

  // Numbers of rows that an op reads until its backward pass; they live as long as parts.
  const std::vector<int32_t>* keep(std::vector<int32_t> numbers);

  // Adapters of all examples; ignored where segments are given.
  std::vector<ActiveAdapter> adapters;
  // One adapter set per run of examples; empty means `adapters` for all. Must cover the batch in
  // order.
  std::vector<Segment> segments;
  Tap* tap = nullptr;

 private:
  std::deque<RowSpace> parts_;
  std::map<std::pair<const RowSpace*, std::pair<int64_t, int64_t>>, const RowSpace*> maps_;
  std::deque<std::vector<int32_t>> kept_;
};

}  // namespace inlay
