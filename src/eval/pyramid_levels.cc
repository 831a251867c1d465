#include "eval/pyramid_levels.h"

#include <algorithm>
#include <array>
#include <utility>

#include "autograd/ops/map_pooling.h"
#include "autograd/ops/resize_map.h"
#include "autograd/ops/row_ops.h"
#include "autograd/ops/upsample_map.h"
#include "eval/detection_places.h"
#include "models/noise_picture.h"

namespace inlay {
namespace {

constexpr std::size_t kLevels = kLevelStrides.size();
constexpr std::size_t kMiddle = 1;           // the level of maps of one size
constexpr MapSize kProbePicture = {64, 64};  // for a base that takes any size

using Maps = std::array<MapSize, kLevels>;
using Levels = std::array<Variable, kLevels>;

bool is_map(const Variable& x) {
  const RowSpace& rows = *x.row_space();
  return rows.map.places() > 0 && x.rows() == rows.examples() * rows.map.places();
}

// In the place of a context's tap while it lives: keeps the last layer output of each level's size.
class LevelTap : public Tap {
 public:
  LevelTap(Context& context, const Maps& maps)
      : context_(context), before_(context.tap), maps_(maps) {
    context.tap = this;
  }
  ~LevelTap() override { context_.tap = before_; }
  LevelTap(const LevelTap&) = delete;
  LevelTap& operator=(const LevelTap&) = delete;

  void see(const Site& site, const Variable& value) override {
    if (before_ != nullptr) before_->see(site, value);
    if (site.role != SiteRole::kLayerOutput || !is_map(value)) return;
    auto level = std::find(maps_.begin(), maps_.end(), value.row_space()->map);
    if (level != maps_.end()) seen_.at(static_cast<std::size_t>(level - maps_.begin())) = value;
  }
  void mixture(const Site& site, const Tensor& weights) override {
    if (before_ != nullptr) before_->mixture(site, weights);
  }

  Levels take() { return std::move(seen_); }

 private:
  Context& context_;
  Tap* before_;
  const Maps& maps_;
  Levels seen_;
};

// The places of maps without the tokens that stand before them.
Variable without_tokens(Context& context, const Variable& hidden) {
  const RowSpace& rows = *hidden.row_space();
  std::vector<int64_t> places;
  places.reserve(static_cast<std::size_t>(rows.examples() * rows.map.places()));
  for (std::size_t e = 1; e < rows.example_offsets.size(); ++e) {
    int64_t end = rows.example_offsets[e];
    for (int64_t row = end - rows.map.places(); row < end; ++row) places.push_back(row);
  }
  return select_rows(context, hidden, std::move(places), context.map_space(&rows, rows.map));
}

Variable in_size(Context& context, const Variable& hidden, MapSize size) {
  Variable map = is_map(hidden) ? hidden : without_tokens(context, hidden);
  if (map.row_space()->map == size) return map;
  return resize_map(context, map, context.map_space(map.row_space(), size));
}

Variable halved(Context& context, const Variable& map) {
  MapPooling pooling{.kernel = 2, .stride = 2};
  MapSize half = pooling.output(map.row_space()->map);
  return max_pool(context, map, pooling, context.map_space(map.row_space(), half));
}

// Those that are missing, from a finer level where there is one, else from a coarser one.
void fill(Context& context, const Maps& maps, Levels& levels) {
  for (std::size_t i = 1; i < kLevels; ++i) {
    if (!levels.at(i).defined() && levels.at(i - 1).defined())
      levels.at(i) = halved(context, levels.at(i - 1));
  }
  for (std::size_t i = kLevels - 1; i-- > 0;) {
    if (levels.at(i).defined()) continue;
    const Variable& coarser = levels.at(i + 1);
    levels.at(i) =
        upsample_map(context, coarser, context.map_space(coarser.row_space(), maps.at(i)));
  }
}

}  // namespace

std::vector<Variable> pyramid_levels(Context& context, const Model& model,
                                     const TokenBatch& batch) {
  require_detection_size(batch.tokens.map);
  const Maps maps = level_maps(batch.tokens.map);
  Levels levels;
  Variable hidden;
  {
    LevelTap tap(context, maps);
    hidden = model.encode(context, batch);
    levels = tap.take();
  }
  bool any = std::any_of(levels.begin(), levels.end(),
                         [](const Variable& level) { return level.defined(); });
  if (!any) levels.at(kMiddle) = in_size(context, hidden, maps.at(kMiddle));
  fill(context, maps, levels);
  return {levels.begin(), levels.end()};
}

std::vector<int64_t> level_channels(const Model& model) {
  MapSize fixed = model.facts().image_size;
  TokenSequence picture;
  picture.pixels = noise_picture(fixed.places() > 0 ? fixed : kProbePicture, 1);
  const std::array<const TokenSequence*, 1> pictures = {&picture};
  TokenBatch batch = make_token_batch(pictures, {});
  Context context(DType::kF32);
  context.weights = onednn::Reading::kStored;
  context.tape.set_recording(false);
  std::vector<int64_t> channels;
  channels.reserve(kLevels);
  for (const Variable& level : pyramid_levels(context, model, batch))
    channels.push_back(level.channels());
  return channels;
}

}  // namespace inlay
