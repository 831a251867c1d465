// What the modules of nn/ share: which hooks are live at a site, and running a module segment by
// segment.
#pragma once

#include <vector>

#include "autograd/ops/row_ops.h"
#include "nn/context.h"

namespace inlay {

// The hooks that do something at a site, with their gates; adapters whose gate is 0 there are
// skipped.
struct LiveHook {
  SiteHook* hook = nullptr;
  float gate = 1;
};

template <class Visit>
void for_each_hook(const std::vector<ActiveAdapter>& adapters, const Site& site,
                   const Visit& visit) {
  for (const ActiveAdapter& adapter : adapters) {
    SiteHook* hook = adapter.hooks->at(site.index);
    float gate = hook != nullptr ? adapter.gate_at(site.index) : 0.0f;
    if (gate != 0.0f) visit(LiveHook{hook, gate});
  }
}

// Segments that leave an example out, or give it twice, would be joined to another batch.
inline void check_segments(const Context& context, const RowSpace& space) {
  int64_t next = 0;
  for (const Segment& segment : context.segments) {
    require(
        segment.first_example == next && segment.last_example > next, ErrorKind::kUsage,
        "a segment of examples [{}, {}) follows example {}; segments must cover the batch in order",
        segment.first_example, segment.last_example, next);
    next = segment.last_example;
  }
  require(next == space.examples(), ErrorKind::kUsage, "the segments end at example {} of {}", next,
          space.examples());
}

// The rows of x that belong to a segment's examples.
inline Variable segment_rows(Context& context, const Variable& x, const Segment& segment) {
  const RowSpace& space = *x.row_space();
  return slice_rows(context, x,
                    space.example_offsets[static_cast<std::size_t>(segment.first_example)],
                    space.example_offsets[static_cast<std::size_t>(segment.last_example)],
                    context.part_of(space, segment.first_example, segment.last_example));
}

// Runs `body(part, rows...)` for each segment on slices of the row-wise inputs and joins what it
// gives in `joined`; with no segments `body` sees the whole.
template <class Body, class... Rows>
Variable for_each_segment_into(Context& context, const RowSpace* joined, const Body& body,
                               const Variable& first, const Rows&... rest) {
  if (context.segments.empty()) return body(context.adapters, first, rest...);
  std::vector<Variable> parts;
  const RowSpace& space = *first.row_space();
  check_segments(context, space);
  for (const Segment& segment : context.segments) {
    int64_t begin = space.example_offsets[static_cast<std::size_t>(segment.first_example)];
    int64_t end = space.example_offsets[static_cast<std::size_t>(segment.last_example)];
    const RowSpace* part = context.part_of(space, segment.first_example, segment.last_example);
    auto slice = [&](const Variable& rows) {
      return rows.defined() ? slice_rows(context, rows, begin, end, part) : Variable();
    };
    parts.push_back(body(segment.adapters, slice(first), slice(rest)...));
  }
  return concat_rows(context, parts, joined);
}

// The same where `body` gives a row for each row.
template <class Body, class... Rows>
Variable for_each_segment(Context& context, const Body& body, const Variable& first,
                          const Rows&... rest) {
  return for_each_segment_into(context, first.row_space(), body, first, rest...);
}

inline bool any_adapter(const Context& context, const Site& site) {
  bool any = false;
  auto look = [&](const std::vector<ActiveAdapter>& adapters) {
    for_each_hook(adapters, site, [&](LiveHook) { any = true; });
  };
  if (context.segments.empty()) look(context.adapters);
  for (const Segment& segment : context.segments) look(segment.adapters);
  return any;
}

inline Variable tapped(Context& context, const Site& site, Variable value) {
  if (context.tap != nullptr) context.tap->see(site, value);
  return value;
}

}  // namespace inlay
