// Which examples are trained on, chosen by and tested on: seeded, stratified by class, independent
// of thread count and locale. Every part is in ascending order of index, so that results come in
// the order of the file.
//
//   Split split = split_dataset(data, {.seed = 1});              // 80/10/10, or the parts that the
//   files give for (const Split& fold : fold_dataset(data, {.seed = 1}, 5)) …
//
// Stratified means: every part holds each class in its overall proportion, to within one example.
// Regression, tags, sets of labels and boxes have no single class; they are shuffled plainly. An
// identity is a group (below) and need not be in the train part.
//
// Where examples have a group (Example::group), all of a group go to one part, and shares and
// classes are kept as far as the groups' sizes allow; parts that files give are kept as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace inlay {

struct Split {
  std::vector<std::size_t> train;
  std::vector<std::size_t> validation;
  std::vector<std::size_t> test;
};

struct SplitOptions {
  std::uint64_t seed = 0;
  double validation = 0.1;  // shares of the whole; train is the rest
  double test = 0.1;
  std::size_t shots = 0;  // keep only this many training examples of each class; 0 keeps all
};

// Parts given as files are kept, but for identities that stand in several of them: then all
// identities are split anew, which is said. A validation part that is not given is split off the
// train part (its share of what is not test), a test part that is not given stays empty. A share of
// 0 leaves that part empty. An error when a part would be empty, when there are fewer groups than
// parts, when a class would be missing from train, and when a class has fewer examples than
// `shots`.
Split split_dataset(const Dataset& data, const SplitOptions& options);

// Fold f tests part f of `folds` equal stratified parts; of the rest, a stratified share of
// `options.validation` is for validation. Every example is tested exactly once. `options.test` is
// not used. Refuses data that came with parts.
std::vector<Split> fold_dataset(const Dataset& data, const SplitOptions& options,
                                std::size_t folds);

// Indices 0..n-1 so that every contiguous stretch holds the strata in proportion, each stratum in
// seeded random order.
std::vector<std::size_t> stratified_order(std::span<const std::int32_t> strata, std::uint64_t seed,
                                          const std::string& purpose);

// SHA-256 over the indices in their order, as little-endian 64-bit numbers: what a manifest keeps
// of a split.
std::string order_hash(std::span<const std::size_t> order);

}  // namespace inlay
