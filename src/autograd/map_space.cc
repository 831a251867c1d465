#include "autograd/map_space.h"

#include "base/error.h"

namespace inlay {

RowSpace rows_of_each(const RowSpace& space, int64_t count) {
  RowSpace result{.example_offsets = {0}, .chunk_offsets = {0}};
  const int64_t examples = space.examples();
  result.example_place.reserve(static_cast<std::size_t>(examples * count));
  result.token_position.reserve(static_cast<std::size_t>(examples * count));
  std::size_t chunk = 1;
  for (int64_t example = 0; example < examples; ++example) {
    auto at = static_cast<std::size_t>(example);
    int64_t first = space.example_offsets[at], last = space.example_offsets[at + 1];
    ensure(first < last, "rows for an example without any");
    for (int64_t row = 0; row < count; ++row) {
      result.example_place.push_back(space.example_place[static_cast<std::size_t>(first)]);
      result.token_position.push_back(static_cast<int32_t>(row));
    }
    result.example_offsets.push_back((example + 1) * count);
    if (chunk < space.chunk_offsets.size() && space.chunk_offsets[chunk] == last) {
      result.chunk_offsets.push_back((example + 1) * count);
      ++chunk;
    }
  }
  ensure(result.chunk_offsets.size() == space.chunk_offsets.size(),
         "{} of {} gradient chunks end with an example", result.chunks(), space.chunks());
  return result;
}

RowSpace map_space(const RowSpace& space, MapSize map, int64_t before) {
  RowSpace result = rows_of_each(space, before + map.places());
  result.map = map;
  result.before_map = before;
  return result;
}

}  // namespace inlay
