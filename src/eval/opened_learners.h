// Several adapters of one base from their folders: as a composition in parallel, or one by one for
// rows that name theirs.
//
//   OpenedLearners opened = open_learners({.model = base,
//                                          .adapters = {"a=runs/a/adapter", "b=runs/b/adapter"},
//                                          .compose = "parallel(drop(a, 0, 1), b)"});
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eval/several_learners.h"

namespace inlay {

// "amazon=runs/amazon/adapter" as name and folder; kUsage where it is not that.
std::pair<std::string, std::filesystem::path> named_folder(const std::string& item);

// What the base alone is called where rows name adapters.
inline constexpr const char* kBaseName = "base";

struct LearnersSource {
  std::filesystem::path model;
  std::vector<std::string> adapters;  // name=FOLDER
  // Over these names; one learner for each part of an outermost parallel. Empty: a learner for each
  // adapter and, where the task needs no head, one for the base alone.
  std::string compose = {};
  std::string task = {};  // empty: each adapter's own
  std::string pooling = "auto";
  std::string quantise = "none";  // a name of quantisation_named()
};

struct OpenedLearners {
  std::unique_ptr<Tokenizer> tokenizer;  // the tasks may refer to it
  std::vector<NamedLearner> learners;    // named after their adapters
};

// The head of a composition is that of its only adapter with one, of the last of a stack. kUsage
// where a name is not given, the head is ambiguous, or the tasks read different kinds of data.
OpenedLearners open_learners(const LearnersSource& source);

// Which learner answers each example, by Example::adapter; one that names none, or "base", is the
// base's. kInput naming the row whose adapter is not there.
std::vector<std::size_t> learners_of_rows(const Dataset& data,
                                          const std::vector<NamedLearner>& learners);

// The positions that the most demanding of them takes.
int64_t positions_taken(const std::vector<NamedLearner>& learners);

}  // namespace inlay
