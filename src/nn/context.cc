#include "nn/context.h"

namespace inlay {

void Context::begin_forward() {
  ++forward;
  if (tape.empty()) parts_.clear();  // a backward pass to come still reads them
}

const RowSpace* Context::part_of(const RowSpace& space, int64_t first_example,
                                 int64_t last_example) {
  RowSpace& part = parts_.emplace_back();
  int64_t begin = space.example_offsets[static_cast<std::size_t>(first_example)];
  int64_t end = space.example_offsets[static_cast<std::size_t>(last_example)];
  for (int64_t i = first_example; i <= last_example; ++i) {
    part.example_offsets.push_back(space.example_offsets[static_cast<std::size_t>(i)] - begin);
  }
  for (int64_t offset : space.chunk_offsets) {
    if (offset >= begin && offset <= end) part.chunk_offsets.push_back(offset - begin);
  }
  ensure(!part.chunk_offsets.empty() && part.chunk_offsets.front() == 0 &&
             part.chunk_offsets.back() == end - begin,
         "a segment of examples [{}, {}) does not end with a gradient chunk", first_example,
         last_example);
  part.example_place.assign(space.example_place.begin() + begin, space.example_place.begin() + end);
  part.token_position.assign(space.token_position.begin() + begin,
                             space.token_position.begin() + end);
  return &part;
}

}  // namespace inlay
