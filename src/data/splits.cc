#include "data/splits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "data/encoding.h"

namespace inlay {
namespace {

using Indices = std::vector<std::size_t>;

std::vector<std::int32_t> strata_of(const Dataset& data, std::span<const std::size_t> members) {
  std::vector<std::int32_t> strata(members.size(), 0);
  if (data.kind != TaskKind::kSingleLabel) return strata;
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
  if (data.kind != TaskKind::kSingleLabel) return;
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
  require(data.kind == TaskKind::kSingleLabel, ErrorKind::kUsage,
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

Split given_parts(const Dataset& data, const SplitOptions& options) {
  Split split;
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    if (data.part(i) == Part::kTrain) split.train.push_back(i);
    if (data.part(i) == Part::kValidation) split.validation.push_back(i);
    if (data.part(i) == Part::kTest) split.test.push_back(i);
  }
  if (!split.validation.empty() || options.validation == 0.0) return split;
  double share = options.validation / (1.0 - options.test);
  split.train = stratified(data, split.train, options.seed, "split/validation");
  std::size_t count = std::min(share_of(share, split.train.size()), split.train.size());
  split.validation = take(split.train, count);
  return split;
}

Split random_parts(const Dataset& data, const SplitOptions& options) {
  Indices all(data.examples.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Split split;
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

Split split_dataset(const Dataset& data, const SplitOptions& options) {
  check_shares(options);
  Split split = data.has_parts() ? given_parts(data, options) : random_parts(data, options);
  std::sort(split.train.begin(), split.train.end());
  check_classes_in_train(data, split);
  keep_shots(data, split, options);
  return split;
}

std::vector<Split> fold_dataset(const Dataset& data, const SplitOptions& options,
                                std::size_t folds) {
  std::size_t n = data.examples.size();
  check_shares(options);
  require(folds >= 2 && folds <= n, ErrorKind::kUsage,
          "{} folds of {} examples; expected 2 to as many as examples", folds, n);
  require(!data.has_parts(), ErrorKind::kUsage,
          "folds need one set of examples, but the files give train and test parts; give folds or "
          "parts, not both");
  Indices all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = i;
  Indices order = stratified(data, all, options.seed, "split/folds");
  std::vector<Split> splits;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    auto begin = order.begin() + static_cast<std::ptrdiff_t>(n * fold / folds);
    auto end = order.begin() + static_cast<std::ptrdiff_t>(n * (fold + 1) / folds);
    Split split;
    split.test.assign(begin, end);
    std::sort(split.test.begin(), split.test.end());
    Indices rest(order.begin(), begin);
    rest.insert(rest.end(), end, order.end());
    std::sort(rest.begin(), rest.end());
    split.train =
        stratified(data, rest, options.seed, fmt::format("split/fold {}/validation", fold));
    split.validation =
        take(split.train, std::min(share_of(options.validation, rest.size()), rest.size()));
    std::sort(split.train.begin(), split.train.end());
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
