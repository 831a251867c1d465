#include "nn/context.h"

#include <algorithm>
#include <utility>

#include "autograd/map_space.h"

namespace inlay {

void Context::begin_forward() {
  ++forward;
  if (!tape.empty()) return;  // a backward pass to come still reads them
  parts_.clear();
  maps_.clear();
  kept_.clear();
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
  if (!space.key_bias.empty())
    part.key_bias.assign(space.key_bias.begin() + begin, space.key_bias.begin() + end);
  part.map = space.map;
  part.before_map = space.before_map;
  return &part;
}

namespace {

// One more row, of an example at this place.
void add_row(RowSpace& space, int32_t example_place, int32_t token_position) {
  space.example_place.push_back(example_place);
  space.token_position.push_back(token_position);
}

// Ends example i of `like` here, and its chunk where that ends with it.
void end_example(RowSpace& space, const RowSpace& like, std::size_t i) {
  auto rows = static_cast<int64_t>(space.example_place.size());
  space.example_offsets.push_back(rows);
  int64_t end = like.example_offsets[i + 1];
  if (std::binary_search(like.chunk_offsets.begin(), like.chunk_offsets.end(), end))
    space.chunk_offsets.push_back(rows);
}

}  // namespace

const RowSpace* Context::map_space(const RowSpace* space, MapSize map) {
  if (space->map == map && space->before_map == 0) return space;
  const RowSpace*& known = maps_[{space, {map.height, map.width}}];
  if (known == nullptr) known = keep(inlay::map_space(*space, map));
  return known;
}

const std::vector<int32_t>* Context::keep(std::vector<int32_t> numbers) {
  return &kept_.emplace_back(std::move(numbers));
}

const RowSpace* Context::virtual_rows(const RowSpace& space, int64_t count) {
  RowSpace& rows = parts_.emplace_back();
  rows.example_offsets = rows.chunk_offsets = {0};
  for (std::size_t i = 0; i + 1 < space.example_offsets.size(); ++i) {
    int32_t place = space.example_place[static_cast<std::size_t>(space.example_offsets[i])];
    for (int64_t t = -count; t < 0; ++t) add_row(rows, place, static_cast<int32_t>(t));
    end_example(rows, space, i);
  }
  return &rows;
}

const RowSpace* Context::joined(const std::vector<Variable>& parts) {
  RowSpace& rows = parts_.emplace_back();
  rows.example_offsets = rows.chunk_offsets = {0};
  if (!parts.empty()) {  // images of a batch are of one size; what stands before maps may differ
    rows.map = parts.front().row_space()->map;
    rows.before_map = parts.front().row_space()->before_map;
  }
  auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (const Variable& part : parts) {
    const RowSpace& space = *part.row_space();
    int64_t before = rows.rows();
    for (std::size_t i = 1; i < space.example_offsets.size(); ++i)
      rows.example_offsets.push_back(before + space.example_offsets[i]);
    for (std::size_t i = 1; i < space.chunk_offsets.size(); ++i)
      rows.chunk_offsets.push_back(before + space.chunk_offsets[i]);
    append(rows.example_place, space.example_place);
    append(rows.token_position, space.token_position);
    // A row without a bias among rows with one has a bias of 0.
    bool biased = !space.key_bias.empty() || !rows.key_bias.empty();
    if (!biased) continue;
    rows.key_bias.resize(static_cast<std::size_t>(before));
    append(rows.key_bias, space.key_bias);
    rows.key_bias.resize(static_cast<std::size_t>(rows.rows()));
  }
  return &rows;
}

const RowSpace* Context::grown(const RowSpace& space, int64_t count, int64_t at, float key_bias) {
  RowSpace& rows = parts_.emplace_back();
  rows.example_offsets = rows.chunk_offsets = {0};
  rows.map = space.map;
  rows.before_map = space.before_map + (at <= space.before_map ? count : 0);
  bool biased = key_bias != 0 || !space.key_bias.empty();
  for (std::size_t i = 0; i + 1 < space.example_offsets.size(); ++i) {
    int64_t begin = space.example_offsets[i], end = space.example_offsets[i + 1];
    auto own = [&](int64_t row) {
      auto from = static_cast<std::size_t>(row);
      add_row(rows, space.example_place[from], space.token_position[from]);
      if (biased) rows.key_bias.push_back(space.key_bias.empty() ? 0 : space.key_bias[from]);
    };
    for (int64_t row = begin; row < begin + at; ++row) own(row);
    for (int64_t t = -count; t < 0; ++t) {
      add_row(rows, space.example_place[static_cast<std::size_t>(begin)], static_cast<int32_t>(t));
      if (biased) rows.key_bias.push_back(key_bias);
    }
    for (int64_t row = begin + at; row < end; ++row) own(row);
    end_example(rows, space, i);
  }
  return &rows;
}

}  // namespace inlay
