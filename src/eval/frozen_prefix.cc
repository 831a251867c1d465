#include "eval/frozen_prefix.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

#include "autograd/map_space.h"
#include "eval/posed_examples.h"

namespace inlay {
namespace {

// Sites that run after encode(), if they run.
bool is_beyond(const Site& site) {
  return site.role == SiteRole::kPooler || site.role == SiteRole::kMaskedLm ||
         site.role == SiteRole::kLanguageModel;
}

}  // namespace

// Sites are listed in the order in which they run: those of no layer before the first layer's make
// its input, those behind the last one's follow it.
PrefixPlace prefix_place(const Learner& learner) {
  if (learner.head != nullptr && learner.head->layout().input == HeadInput::kPyramid) return {};
  const BaseFacts& base = learner.model->facts();
  SiteHooks* adapter = learner.adapter.get();
  int64_t layers = base.layers, reached = 0;
  bool whole = true;
  for (const Site* site : base.sites) {
    if (is_beyond(*site)) continue;
    bool ends = site->layer < 0 && reached > 0;
    if (site->layer >= 0) reached = site->layer + 1;
    if (adapter == nullptr || adapter->at(site->index) == nullptr) continue;
    whole = false;
    if (!ends) layers = std::min<int64_t>(layers, std::max(0, site->layer));
  }
  return {layers, whole};
}

bool poses_anew(const Task& task, ExampleSpan examples) {
  PosedExamples posed(task, examples, {.kind = Occasion::Kind::kTraining});
  return !std::equal(examples.begin(), examples.end(), posed.all().begin());
}

FrozenPrefix::FrozenPrefix(PrefixPlace place, ExampleSpan examples, PrefixRoom room)
    : place_(place), room_(std::move(room)) {
  ensure(place_.any(), "there is nothing to keep");
  for (const EncodedExample* example : examples) {
    if (!slots_.emplace(example, Slot{}).second) continue;
    tokens_ += example->token_count();
    sequences_ += static_cast<int64_t>(example->sequence_count());
  }
}

bool FrozenPrefix::knows(const EncodedExample& example) const {
  auto found = slots_.find(&example);
  return found != slots_.end() && found->second.count > 0;
}

bool FrozenPrefix::know_all(ExampleSpan examples) const {
  return std::all_of(examples.begin(), examples.end(),
                     [this](const EncodedExample* example) { return knows(*example); });
}

TokenBatch FrozenPrefix::batch(ExampleSpan examples, const BatchPlace& place) const {
  BatchPlace own = place;
  own.reads_pixels = !know_all(examples);
  return make_example_batch(examples, own);
}

Variable FrozenPrefix::first_part(Context& context, const Model& model,
                                  const TokenBatch& batch) const {
  return place_.whole ? model.encode(context, batch)
                      : model.encode_first(context, batch, place_.layers);
}

Variable FrozenPrefix::encode(Context& context, const Model& model, ExampleSpan examples,
                              const TokenBatch& batch) {
  Variable hidden;
  if (know_all(examples)) {
    context.begin_forward();
    hidden = kept(context, examples, batch);
  } else {
    hidden = first_part(context, model, batch);
    keep(examples, hidden);
  }
  return place_.whole ? hidden
                      : model.encode_rest(context, batch, std::move(hidden), place_.layers);
}

Variable FrozenPrefix::kept(Context& context, ExampleSpan examples, const TokenBatch& batch) const {
  const RowSpace* rows = map_.places() == 0
                             ? &batch.tokens
                             : context.keep(map_space(batch.examples, map_, before_map_));
  Tensor value = context.tape.empty_rows({rows->rows(), channels_}, dtype_);
  auto* to = static_cast<std::byte*>(value.mutable_raw());
  for (const EncodedExample* example : examples) {
    const Slot& slot = slots_.at(example);
    std::memcpy(to, pages_.bytes().data() + slot.first, slot.count);
    to += slot.count;
  }
  return context.tape.constant(std::move(value), rows);
}

bool FrozenPrefix::take_room(const Variable& hidden) {
  if (refused_ || !pages_.bytes().empty()) return !refused_;
  const RowSpace& rows = *hidden.row_space();
  map_ = rows.map;
  before_map_ = rows.before_map;
  channels_ = hidden.channels();
  dtype_ = hidden.dtype();
  int64_t all = map_.places() == 0 ? tokens_ : sequences_ * (before_map_ + map_.places());
  auto bytes = static_cast<uint64_t>(all * channels_) * dtype_size(dtype_);
  refused_ = bytes > std::max(room_.memory, kMostPrefixFile);
  if (!refused_) take_pages(bytes);
  return !refused_;
}

// What is kept is a matter of speed alone: a run goes on without it, and leaves half of a disk to
// what it writes itself.
void FrozenPrefix::take_pages(uint64_t bytes) try {
  bool in_memory = bytes <= room_.memory;
  std::error_code none;
  refused_ = !in_memory && bytes > std::filesystem::space(room_.folder, none).available / 2;
  if (refused_) return;
  pages_ = in_memory ? ScratchPages::in_memory(bytes) : ScratchPages::in_file(room_.folder, bytes);
} catch (const Error&) {
  refused_ = true;
}

void FrozenPrefix::keep(ExampleSpan examples, const Variable& hidden) {
  ensure(!hidden.requires_grad(), "something is trained below the place where states are kept");
  const std::vector<int64_t>& offsets = hidden.row_space()->example_offsets;
  std::size_t sequence = 0;
  for (const EncodedExample* example : examples) {
    std::size_t end = sequence + example->sequence_count();
    int64_t first = offsets[std::exchange(sequence, end)], rows = offsets[end] - first;
    auto found = slots_.find(example);
    if (found == slots_.end() || found->second.count > 0 || !take_room(hidden)) continue;
    std::size_t row_bytes = static_cast<std::size_t>(channels_) * dtype_size(dtype_);
    Slot& slot = found->second;
    slot.first = taken_;
    slot.count = static_cast<std::size_t>(rows) * row_bytes;
    taken_ += slot.count;
    ensure(taken_ <= pages_.bytes().size(), "more rows than the examples have");
    std::memcpy(pages_.bytes().data() + slot.first,
                static_cast<const std::byte*>(hidden.value().raw()) +
                    static_cast<std::size_t>(first) * row_bytes,
                slot.count);
  }
}

std::shared_ptr<FrozenPrefix> frozen_prefix(const Learner& learner, ExampleSpan train,
                                            ExampleSpan validation, const PrefixRoom& room) {
  constexpr std::size_t kAsked = 2;  // some tasks mix an example with another
  PrefixPlace place = prefix_place(learner);
  if (!place.any() || train.empty()) return nullptr;
  if (poses_anew(*learner.task, train.first(std::min(kAsked, train.size())))) return nullptr;
  std::vector<const EncodedExample*> all(train.begin(), train.end());
  all.insert(all.end(), validation.begin(), validation.end());
  return std::make_shared<FrozenPrefix>(place, all, room);
}

}  // namespace inlay
