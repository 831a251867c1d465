#include "autograd/map_space.h"

#include "base/error.h"

namespace inlay {

RowSpace map_space(const RowSpace& space, MapSize map) {
  RowSpace result{.example_offsets = {0}, .chunk_offsets = {0}, .map = map};
  const int64_t examples = space.examples(), places = map.places();
  result.example_place.reserve(static_cast<std::size_t>(examples * places));
  result.token_position.reserve(static_cast<std::size_t>(examples * places));
  std::size_t chunk = 1;
  for (int64_t example = 0; example < examples; ++example) {
    auto at = static_cast<std::size_t>(example);
    int64_t first = space.example_offsets[at], last = space.example_offsets[at + 1];
    ensure(first < last, "a map of an example without rows");
    for (int64_t place = 0; place < places; ++place) {
      result.example_place.push_back(space.example_place[static_cast<std::size_t>(first)]);
      result.token_position.push_back(static_cast<int32_t>(place));
    }
    result.example_offsets.push_back((example + 1) * places);
    if (chunk < space.chunk_offsets.size() && space.chunk_offsets[chunk] == last) {
      result.chunk_offsets.push_back((example + 1) * places);
      ++chunk;
    }
  }
  ensure(result.chunk_offsets.size() == space.chunk_offsets.size(),
         "{} of {} gradient chunks end with an example", result.chunks(), space.chunks());
  return result;
}

}  // namespace inlay
