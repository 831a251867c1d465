#include "adapters/map_rows.h"

#include <utility>
#include <vector>

#include "autograd/map_space.h"
#include "autograd/ops/add.h"
#include "autograd/ops/place_rows.h"
#include "autograd/ops/row_ops.h"

namespace inlay {
namespace {

// Rows of a batch as maps.
struct Part {
  std::vector<int64_t> numbers;
  RowSpace space;
};

// The first row of an example's map: nothing stands behind it.
int64_t map_begin(const RowSpace& tokens, std::size_t example) {
  return tokens.example_offsets[example + 1] - tokens.map.places();
}

Part places_of(const RowSpace& tokens) {
  Part part{.numbers = {}, .space = map_space(tokens, tokens.map)};
  part.numbers.reserve(static_cast<std::size_t>(part.space.rows()));
  for (std::size_t e = 0; e + 1 < tokens.example_offsets.size(); ++e) {
    for (int64_t row = map_begin(tokens, e); row < tokens.example_offsets[e + 1]; ++row)
      part.numbers.push_back(row);
  }
  return part;
}

// Each token before a map as an example of its own, in the chunk of its image.
Part others_of(const RowSpace& tokens) {
  Part part{.numbers = {}, .space = {.example_offsets = {0}, .chunk_offsets = {0}, .map = {1, 1}}};
  std::size_t chunk = 1;
  for (std::size_t e = 0; e + 1 < tokens.example_offsets.size(); ++e) {
    for (int64_t row = tokens.example_offsets[e]; row < map_begin(tokens, e); ++row) {
      auto from = static_cast<std::size_t>(row);
      part.numbers.push_back(row);
      part.space.example_offsets.push_back(static_cast<int64_t>(part.numbers.size()));
      part.space.example_place.push_back(tokens.example_place[from]);
      part.space.token_position.push_back(tokens.token_position[from]);
    }
    if (tokens.chunk_offsets[chunk] != tokens.example_offsets[e + 1]) continue;
    part.space.chunk_offsets.push_back(static_cast<int64_t>(part.numbers.size()));
    ++chunk;
  }
  return part;
}

// What `body` gives for a part, among zeros.
Variable run(Context& context, const Variable& x, Part part, const OverMaps& body) {
  const RowSpace* space = context.keep(std::move(part.space));
  Variable y = body(select_rows(context, x, part.numbers, space));
  return place_rows(context, y, std::move(part.numbers), x.row_space());
}

}  // namespace

Variable over_maps(Context& context, const Variable& x, const OverMaps& body) {
  const RowSpace& tokens = *x.row_space();
  int64_t places = tokens.map.places();
  ensure(places > 0 && x.rows() >= tokens.examples() * places,
         "{} rows of {} examples with maps of {} x {}", x.rows(), tokens.examples(),
         tokens.map.height, tokens.map.width);
  if (x.rows() == tokens.examples() * places) return body(x);
  Variable maps = run(context, x, places_of(tokens), body);
  return add(context, maps, run(context, x, others_of(tokens), body));
}

}  // namespace inlay
