#include "models/shared_rows.h"

#include <algorithm>
#include <utility>

#include "autograd/ops/row_ops.h"
#include "nn/live_hooks.h"

namespace inlay {

SharedRows::SharedRows(Context& context, std::span<const AdaptedBatch> asked)
    : context_(context), asked_(asked) {
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto same = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
      return asked[group.members[0]].batch == asked[i].batch;
    });
    if (same != groups_.end()) {
      same->members.push_back(i);
    } else {
      groups_.push_back({.members = {i}});
    }
  }
}

bool SharedRows::changes(std::size_t member, Sites sites) const {
  bool any = false;
  for (const Site* site : sites)
    for_each_hook(asked_[member].adapters, *site, [&](LiveHook) { any = true; });
  return any;
}

std::vector<SharedRows::Group> SharedRows::parted(Sites sites) const {
  std::vector<Group> all;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group shared{.rows = groups_[g].rows, .parent = g};
    for (std::size_t member : groups_[g].members) {
      if (groups_[g].members.size() > 1 && changes(member, sites)) {
        all.push_back({.members = {member}, .rows = groups_[g].rows, .parent = g});
      } else {
        shared.members.push_back(member);
      }
    }
    if (!shared.members.empty()) all.push_back(std::move(shared));
  }
  return all;
}

std::vector<ActiveAdapter> SharedRows::adapters_of(const Group& group) const {
  if (group.members.size() > 1) return {};
  return asked_[group.members[0]].adapters;
}

std::vector<Variable> SharedRows::rows_of_groups(const Variable& x) {
  if (groups_.size() == 1) return {x};
  std::vector<Variable> parts;
  parts.reserve(groups_.size());
  int64_t first = 0;
  for (const Group& group : groups_) {
    int64_t last = first + group.rows->rows();
    parts.push_back(slice_rows(context_, x, first, last, group.rows));
    first = last;
  }
  return parts;
}

Variable SharedRows::joined(std::vector<Variable> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  return concat_rows(context_, parts, context_.joined(parts));
}

// What stands in the context for the groups as they are.
void SharedRows::activate() {
  context_.segments.clear();
  context_.adapters.clear();
  if (groups_.size() == 1) {
    context_.adapters = adapters_of(groups_[0]);
    return;
  }
  int64_t first = 0;
  for (const Group& group : groups_) {
    int64_t last = first + group.rows->examples();
    context_.segments.push_back({first, last, adapters_of(group)});
    first = last;
  }
}

Variable SharedRows::start(Sites sites, const std::function<Variable(const TokenBatch&)>& embed) {
  groups_ = parted(sites);
  std::vector<Variable> parts;
  parts.reserve(groups_.size());
  context_.segments.clear();
  for (Group& group : groups_) {
    context_.adapters = adapters_of(group);
    parts.push_back(embed(*asked_[group.members[0]].batch));
    group.rows = parts.back().row_space();
  }
  return joined(std::move(parts));
}

Variable SharedRows::enter(Sites sites, Variable x) {
  std::vector<Group> groups = parted(sites);
  if (groups.size() != groups_.size()) {
    std::vector<Variable> before = rows_of_groups(x), parts;
    parts.reserve(groups.size());
    for (const Group& group : groups) parts.push_back(before[group.parent]);
    x = joined(std::move(parts));
  }
  groups_ = std::move(groups);
  activate();
  for (const Group& group : groups_) {
    work_.computed += group.rows->rows();
    work_.alone += group.rows->rows() * static_cast<int64_t>(group.members.size());
  }
  return x;
}

std::vector<Variable> SharedRows::finish(const Variable& x) {
  std::vector<Variable> of_groups = rows_of_groups(x), all(asked_.size());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t member : groups_[g].members) all[member] = of_groups[g];
  }
  context_.segments.clear();
  context_.adapters.clear();
  return all;
}

}  // namespace inlay
