#include "eval/unreadable.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace inlay {
namespace {

constexpr std::size_t kMostNamed = 10;

// Which classes have an example among these; of kinds without one class per example, none.
std::vector<bool> classes_among(const Dataset& data, const std::vector<std::size_t>& members) {
  std::vector<bool> present(data.classes.size());
  for (std::size_t member : members) {
    std::int32_t id = data.examples[member].class_id;
    bool known = id >= 0 && static_cast<std::size_t>(id) < present.size();
    if (known) present[static_cast<std::size_t>(id)] = true;
  }
  return present;
}

void leave_out_of_part(const UnreadablePictures& unreadable, std::vector<std::size_t>& part,
                       const char* name) {
  if (part.empty()) return;
  const std::vector<std::size_t>& out = unreadable.examples;
  std::size_t first = part[0], before = part.size();
  std::erase_if(part, [&](std::size_t example) {
    return std::binary_search(out.begin(), out.end(), example);
  });
  if (!part.empty()) return;
  auto place =
      static_cast<std::size_t>(std::lower_bound(out.begin(), out.end(), first) - out.begin());
  fail(ErrorKind::kInput, "none of the {} pictures of the {} part can be read; the first is {}",
       before, name, unreadable.messages[place]);
}

}  // namespace

UnreadablePictures unreadable_pictures(const Dataset& data) {
  auto count = static_cast<int64_t>(data.images->size());
  std::vector<std::string> failures(data.images->size());
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) {
    auto own = static_cast<std::size_t>(i);
    try {
      data.images->load(own);
    } catch (const std::exception& error) {
      failures[own] = error.what();
    }
  }
  UnreadablePictures found;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i].empty()) continue;
    found.examples.push_back(i);
    found.messages.push_back(std::move(failures[i]));
  }
  return found;
}

void refuse_unreadable(const Dataset& data) {
  for (const std::string& message : unreadable_pictures(data).messages)
    fail(ErrorKind::kInput, "{}", message);
}

void leave_out(const UnreadablePictures& unreadable, const Dataset& data,
               std::vector<Split>& splits) {
  if (unreadable.examples.empty()) return;
  for (Split& split : splits) {
    std::vector<bool> before = classes_among(data, split.train);
    leave_out_of_part(unreadable, split.train, "training");
    leave_out_of_part(unreadable, split.validation, "validation");
    leave_out_of_part(unreadable, split.test, "test");
    std::vector<bool> after = classes_among(data, split.train);
    for (std::size_t id = 0; id < after.size(); ++id) {
      require(after[id] || !before[id], ErrorKind::kInput,
              "class \"{}\" has no picture left to train on that can be read; give more of it",
              data.classes[id]);
    }
  }
}

std::size_t leave_out_unreadable(const Dataset& data, std::vector<Split>& splits) {
  UnreadablePictures unreadable = unreadable_pictures(data);
  std::size_t count = unreadable.examples.size();
  if (count == 0) return 0;
  log_warn("{} of {} pictures cannot be read and are left out:", count, data.images->size());
  for (std::size_t i = 0; i < std::min(count, kMostNamed); ++i)
    log_warn("  {}", unreadable.messages[i]);
  if (count > kMostNamed) log_warn("  and {} more", count - kMostNamed);
  leave_out(unreadable, data, splits);
  return count;
}

}  // namespace inlay
