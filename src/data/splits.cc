#include "data/splits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "data/encoding.h"

namespace inlay {
namespace {

using Indices = std::vector<std::size_t>;

// Whether an example has exactly one class.
bool of_one_class(TaskKind kind) {
  return kind == TaskKind::kSingleLabel || kind == TaskKind::kImageLabel;
}

std::vector<std::int32_t> strata_of(const Dataset& data, std::span<const std::size_t> members) {
  std::vector<std::int32_t> strata(members.size(), 0);
  if (!of_one_class(data.kind)) return strata;
  for (std::size_t i = 0; i < members.size(); ++i) strata[i] = data.examples[members[i]].class_id;
  return strata;
}

// The members, in stratified order.
Indices stratified(const Dataset& data, std::span<const std::size_t> members, std::uint64_t seed,
                   const std::string& purpose) {
  Indices order = stratified_order(strata_of(data, members), seed, purpose);
  for (std::size_t& index : order) index = members[index];
  return order;
}

// Moves the first `count` of `from` into a part of their own, ascending.
Indices take(Indices& from, std::size_t count) {
  Indices part(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  std::sort(part.begin(), part.end());
  return part;
}

// A share of n, rounded; at least one example unless the share is 0.
std::size_t share_of(double share, std::size_t n) {
  if (share == 0.0) return 0;
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(std::floor(share * static_cast<double>(n) + 0.5)));
}

void check_shares(const SplitOptions& options) {
  bool sound =
      options.validation >= 0.0 && options.test >= 0.0 && options.validation + options.test < 1.0;
  require(sound, ErrorKind::kUsage,
          "shares of {} for validation and {} for test; expected none negative, sum below 1",
          options.validation, options.test);
}

void check_classes_in_train(const Dataset& data, const Split& split) {
  require(!split.train.empty(), ErrorKind::kInput,
          "{}: {} examples are too few for {} validation and {} test examples; expected at least "
          "one left to train on",
          data.files.empty() ? "data" : data.files[0].path,
          split.validation.size() + split.test.size(), split.validation.size(), split.test.size());
  if (!of_one_class(data.kind)) return;
  std::vector<bool> trained(data.classes.size());
  for (std::size_t index : split.train)
    trained[static_cast<std::size_t>(data.examples[index].class_id)] = true;
  for (const Indices* part : {&split.validation, &split.test}) {
    for (std::size_t index : *part) {
      auto id = static_cast<std::size_t>(data.examples[index].class_id);
      require(
          trained[id], ErrorKind::kInput,
          "{}: class {} has no example left to train on after the split; give more examples of it",
          data.place(index), excerpt(data.classes[id]));
    }
  }
}

void keep_shots(const Dataset& data, Split& split, const SplitOptions& options) {
  if (options.shots == 0) return;
  require(of_one_class(data.kind), ErrorKind::kUsage,
          "shots = {} counts examples per class, but the task is {}; expected a single label per "
          "example",
          options.shots, describe(data.kind));
  std::vector<Indices> kept(data.classes.size());
  for (std::size_t place : shuffled(split.train.size(), Stream(options.seed, "split/shots"))) {
    std::size_t index = split.train[place];
    Indices& of_class = kept[static_cast<std::size_t>(data.examples[index].class_id)];
    if (of_class.size() < options.shots) of_class.push_back(index);
  }
  split.train.clear();
  for (std::size_t id = 0; id < kept.size(); ++id) {
    require(kept[id].size() == options.shots, ErrorKind::kInput,
            "class {} has {} training examples; expected at least {} (shots)",
            excerpt(data.classes[id]), kept[id].size(), options.shots);
    split.train.insert(split.train.end(), kept[id].begin(), kept[id].end());
  }
  std::sort(split.train.begin(), split.train.end());
}

bool has_groups(const Dataset& data, std::span<const std::size_t> members) {
  return std::any_of(members.begin(), members.end(),
                     [&](std::size_t member) { return !data.examples[member].group.empty(); });
}

// What must stay together, and how often each class is in it.
struct Unit {
  Indices members;
  std::map<std::int32_t, double> classes;
};

// In order of the first member of each; an example without a group is alone.
std::vector<Unit> units_of(const Dataset& data, std::span<const std::size_t> members) {
  std::vector<Unit> units;
  std::map<std::string, std::size_t> unit_of_group;
  for (std::size_t member : members) {
    const Example& example = data.examples[member];
    std::size_t unit = units.size();
    if (!example.group.empty()) unit = unit_of_group.emplace(example.group, unit).first->second;
    if (unit == units.size()) units.emplace_back();
    units[unit].members.push_back(member);
    if (of_one_class(data.kind)) units[unit].classes[example.class_id] += 1;
    for (std::int32_t id : example.class_ids) units[unit].classes[id] += 1;
  }
  return units;
}

// Gives units to parts one by one, the largest first, each to the part that then comes nearest to
// its shares: of all examples and, weighing the same, of every class of the unit.
class SharingOut {
 public:
  SharingOut(const std::vector<Unit>& units, const std::vector<double>& shares)
      : shares_(shares), parts_(shares.size()), held_(shares.size()) {
    for (const Unit& unit : units) {
      total_[kAll] += static_cast<double>(unit.members.size());
      for (const auto& [id, count] : unit.classes) total_[id] += count;
    }
  }

  // `left` units, this one included, are still to be given.
  void give(const Unit& unit, std::size_t left) {
    std::size_t part = nearest(unit, empty_parts() >= left);
    parts_[part].insert(parts_[part].end(), unit.members.begin(), unit.members.end());
    held_[part][kAll] += static_cast<double>(unit.members.size());
    for (const auto& [id, count] : unit.classes) held_[part][id] += count;
  }

  std::vector<Indices> finish() {
    for (Indices& part : parts_) std::sort(part.begin(), part.end());
    return std::move(parts_);
  }

 private:
  static constexpr std::int32_t kAll = -1;  // no class has this number

  bool wants(std::size_t part) const { return shares_[part] > 0.0; }

  std::size_t empty_parts() const {
    std::size_t count = 0;
    for (std::size_t part = 0; part < parts_.size(); ++part)
      count += wants(part) && parts_[part].empty() ? 1 : 0;
    return count;
  }

  // How much the squared distance from the share grows, as a share of the whole.
  double growth(std::size_t part, std::int32_t id, double count) const {
    auto held = held_[part].find(id);
    double lack = shares_[part] * total_.at(id) - (held == held_[part].end() ? 0.0 : held->second);
    return count * (count - 2.0 * lack) / total_.at(id);
  }

  std::size_t nearest(const Unit& unit, bool empty_only) const {
    std::size_t best = parts_.size();
    double least = 0.0;
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      if (!wants(part) || (empty_only && !parts_[part].empty())) continue;
      double cost = growth(part, kAll, static_cast<double>(unit.members.size()));
      for (const auto& [id, count] : unit.classes) cost += growth(part, id, count);
      if (best < parts_.size() && cost >= least) continue;
      best = part;
      least = cost;
    }
    return best;
  }

  std::vector<double> shares_;
  std::map<std::int32_t, double> total_;
  std::vector<Indices> parts_;
  std::vector<std::map<std::int32_t, double>> held_;
};

// The members in parts of about these shares, ascending; no group is split. Units of one size come
// in seeded random order.
std::vector<Indices> share_out_groups(const Dataset& data, std::span<const std::size_t> members,
                                      const std::vector<double>& shares, std::uint64_t seed,
                                      const std::string& purpose) {
  std::vector<Unit> units = units_of(data, members);
  auto parts = static_cast<std::size_t>(
      std::count_if(shares.begin(), shares.end(), [](double share) { return share > 0.0; }));
  require(units.size() >= parts, ErrorKind::kInput,
          "{}: {} groups are too few for {} parts; expected at least one for each, as no group is "
          "split",
          data.files.empty() ? "data" : data.files[0].path, units.size(), parts);
  Indices order = shuffled(units.size(), Stream(seed, purpose));
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return units[a].members.size() > units[b].members.size();
  });
  SharingOut sharing(units, shares);
  for (std::size_t i = 0; i < order.size(); ++i) sharing.give(units[order[i]], order.size() - i);
  return sharing.finish();
}

Split given_parts(const Dataset& data, const SplitOptions& options) {
  Split split;
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    if (data.part(i) == Part::kTrain) split.train.push_back(i);
    if (data.part(i) == Part::kValidation) split.validation.push_back(i);
    if (data.part(i) == Part::kTest) split.test.push_back(i);
  }
  if (!split.validation.empty() || options.validation == 0.0) return split;
  double share = options.validation / (1.0 - options.test);
  if (has_groups(data, split.train)) {
    std::vector<Indices> parts =
        share_out_groups(data, split.train, {1.0 - share, share}, options.seed, "split/validation");
    split.train = std::move(parts[0]);
    split.validation = std::move(parts[1]);
    return split;
  }
  split.train = stratified(data, split.train, options.seed, "split/validation");
  std::size_t count = std::min(share_of(share, split.train.size()), split.train.size());
  split.validation = take(split.train, count);
  return split;
}

Split random_parts(const Dataset& data, const SplitOptions& options) {
  Indices all(data.examples.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Split split;
  if (has_groups(data, all)) {
    std::vector<double> shares = {1.0 - options.validation - options.test, options.validation,
                                  options.test};
    std::vector<Indices> parts = share_out_groups(data, all, shares, options.seed, "split");
    return {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
  }
  split.train = stratified(data, all, options.seed, "split");
  split.test = take(split.train, std::min(share_of(options.test, all.size()), split.train.size()));
  split.validation =
      take(split.train, std::min(share_of(options.validation, all.size()), split.train.size()));
  return split;
}

}  // namespace

std::vector<std::size_t> stratified_order(std::span<const std::int32_t> strata, std::uint64_t seed,
                                          const std::string& purpose) {
  // The r-th of a stratum's m members goes to position (2r + 1) / 2m of the whole: an even spread
  // of every stratum.
  struct Position {
    std::size_t numerator, denominator, index;
  };
  std::map<std::int32_t, std::size_t> size, seen;
  for (std::int32_t stratum : strata) ++size[stratum];
  std::vector<Position> positions;
  for (std::size_t index : shuffled(strata.size(), Stream(seed, purpose))) {
    std::int32_t stratum = strata[index];
    positions.push_back({2 * seen[stratum]++ + 1, 2 * size[stratum], index});
  }
  std::stable_sort(positions.begin(), positions.end(), [](const Position& a, const Position& b) {
    return a.numerator * b.denominator <
           b.numerator * a.denominator;  // exact: no rounding decides the order
  });
  Indices order;
  for (const Position& position : positions) order.push_back(position.index);
  return order;
}

namespace {

// Whether an identity stands in several of the parts that files give.
bool parts_share_identities(const Dataset& data) {
  if (data.kind != TaskKind::kImageIdentity) return false;
  std::map<std::string, Part> seen;
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    auto [found, fresh] = seen.emplace(data.examples[i].group, data.part(i));
    if (fresh || found->second == data.part(i)) continue;
    log_warn("{} stands in several parts of the data: all identities are split anew", found->first);
    return true;
  }
  return false;
}

}  // namespace

Split split_dataset(const Dataset& data, const SplitOptions& options) {
  check_shares(options);
  bool given = data.has_parts() && !parts_share_identities(data);
  Split split = given ? given_parts(data, options) : random_parts(data, options);
  std::sort(split.train.begin(), split.train.end());
  check_classes_in_train(data, split);
  keep_shots(data, split, options);
  return split;
}

namespace {

// The part of every fold that is tested: stretches of the stratified order, or groups shared out.
std::vector<Indices> tested_parts(const Dataset& data, std::uint64_t seed, std::size_t folds) {
  std::size_t n = data.examples.size();
  Indices all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = i;
  if (has_groups(data, all)) {
    std::vector<double> shares(folds, 1.0 / static_cast<double>(folds));
    return share_out_groups(data, all, shares, seed, "split/folds");
  }
  Indices order = stratified(data, all, seed, "split/folds");
  std::vector<Indices> parts(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    parts[fold].assign(order.begin() + static_cast<std::ptrdiff_t>(n * fold / folds),
                       order.begin() + static_cast<std::ptrdiff_t>(n * (fold + 1) / folds));
    std::sort(parts[fold].begin(), parts[fold].end());
  }
  return parts;
}

// The examples of all parts but one, ascending.
Indices rest_of(const std::vector<Indices>& parts, std::size_t left_out) {
  Indices rest;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    if (part != left_out) rest.insert(rest.end(), parts[part].begin(), parts[part].end());
  }
  std::sort(rest.begin(), rest.end());
  return rest;
}

// Train and validation of what one fold does not test.
void split_rest(const Dataset& data, const Indices& rest, const SplitOptions& options,
                const std::string& purpose, Split& split) {
  if (options.validation > 0.0 && has_groups(data, rest)) {
    std::vector<Indices> parts = share_out_groups(
        data, rest, {1.0 - options.validation, options.validation}, options.seed, purpose);
    split.train = std::move(parts[0]);
    split.validation = std::move(parts[1]);
    return;
  }
  split.train = stratified(data, rest, options.seed, purpose);
  split.validation =
      take(split.train, std::min(share_of(options.validation, rest.size()), rest.size()));
  std::sort(split.train.begin(), split.train.end());
}

}  // namespace

std::vector<Split> fold_dataset(const Dataset& data, const SplitOptions& options,
                                std::size_t folds) {
  std::size_t n = data.examples.size();
  check_shares(options);
  require(folds >= 2 && folds <= n, ErrorKind::kUsage,
          "{} folds of {} examples; expected 2 to as many as examples", folds, n);
  require(!data.has_parts(), ErrorKind::kUsage,
          "folds need one set of examples, but the files give train and test parts; give folds or "
          "parts, not both");
  std::vector<Indices> parts = tested_parts(data, options.seed, folds);
  std::vector<Split> splits;
  splits.reserve(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Split split;
    split_rest(data, rest_of(parts, fold), options, fmt::format("split/fold {}/validation", fold),
               split);
    split.test = parts[fold];
    check_classes_in_train(data, split);
    keep_shots(data, split, options);
    splits.push_back(std::move(split));
  }
  return splits;
}

std::string order_hash(std::span<const std::size_t> order) {
  Sha256 hash;
  for (std::size_t index : order) {
    std::array<char, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>((std::uint64_t{index} >> (8 * i)) & 0xFF);
    hash.update(std::string_view(bytes.data(), bytes.size()));
  }
  return hex(hash.finish());
}

}  // namespace inlay
